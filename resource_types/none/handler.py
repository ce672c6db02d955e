"""SE::None: nothing on a host."""

from __future__ import annotations

from typing import ClassVar

from stackengine import sdk


class None_(sdk.RecordType):  # noqa: N801  (None is taken)
    """Keeps a value and gives it back."""

    name: ClassVar[str] = "SE::None"

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"value": want["value"]} if "value" in want else {}
