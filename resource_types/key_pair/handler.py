"""SE::KeyPair: an SSH key pair."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class KeyPair(sdk.ResourceType):
    """Ed25519, made once."""

    name: ClassVar[str] = "SE::KeyPair"
    inline: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        if want.get("public_key"):
            return {"public_key": want["public_key"], "private_key": ""}
        if ctx.attributes.get("public_key"):
            return {}
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return {"public_key": f"{public} {ctx.stack}-{ctx.path}", "private_key": private}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return
