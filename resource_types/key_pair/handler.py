"""SE::KeyPair: an SSH key pair."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, ClassVar

from stackengine import sdk


class KeyPair(sdk.RecordType):
    """Ed25519, made once."""

    name: ClassVar[str] = "SE::KeyPair"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        given = want.get("name")
        return {"physical_id": f"key-{ids.token(12, 'key')}", "name": given if isinstance(given, str) else ids.path}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        key = want.get("public_key")
        if isinstance(key, str) and key and not _blob(key):
            return [sdk.Refusal("public_key", "this is no OpenSSH public key", "one line: ssh-ed25519 AAAA… comment")]
        return []

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        if want.get("public_key"):
            return {"public_key": want["public_key"].strip(), "private_key": "", "fingerprint": _fingerprint(want["public_key"])}
        if ctx.attributes.get("public_key"):
            return {}
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return {"public_key": f"{public} {ctx.stack}-{ctx.path}", "private_key": private, "fingerprint": _fingerprint(public)}


def _blob(key: str) -> bytes:
    """The key's own bytes; empty when the text is no key."""
    words = key.split()
    try:
        raw = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        return b""
    kind = words[0].encode()
    return raw if raw[4 : 4 + len(kind)] == kind else b""


def _fingerprint(key: str) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(_blob(key)).digest()).decode().rstrip("=")
