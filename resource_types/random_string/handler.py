"""SE::RandomString: random text, made once."""

from __future__ import annotations

import secrets
import string
from typing import Any, ClassVar

from stackengine import sdk


class RandomString(sdk.ResourceType):
    """Text from the system's random source, kept as a sealed attribute."""

    name: ClassVar[str] = "SE::RandomString"
    inline: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        known = ctx.attributes.get("value")
        if known is not None:
            return {"value": known}
        alphabet = want.get("alphabet") or string.ascii_letters + string.digits
        return {"value": "".join(secrets.choice(alphabet) for _ in range(want["length"]))}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return
