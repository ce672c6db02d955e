"""SE::None: nothing on a host."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class None_(sdk.ResourceType):  # noqa: N801  (None is taken)
    """Keeps a value and gives it back."""

    name: ClassVar[str] = "SE::None"
    inline: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"value": want["value"]} if "value" in want else {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return
