"""SE::WaitCondition: waits for signals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class WaitCondition(sdk.ResourceType):
    """A gate and nothing else."""

    name: ClassVar[str] = "SE::WaitCondition"
    inline: ClassVar[bool] = True
    remake_failed: ClassVar[bool] = True

    def gate(self, identity: Mapping[str, Any], want: sdk.Properties) -> sdk.Gate | None:
        return sdk.Gate("signal", float(sdk.known(want.get("timeout"), 600)), handle=handle_id(want["handle"]), count=int(sdk.known(want.get("count"), 1)))

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return

    def ready(self, ctx: sdk.Context, want: sdk.Properties, received: list[dict[str, Any]]) -> dict[str, sdk.Value]:
        return {"data": json.dumps({s["id"]: s.get("data") for s in received})}


def handle_id(handle: Any) -> str:
    """The handle's id: itself, or the last but one part of its URL (CloudFormation's Ref of a handle is a URL)."""
    return str(handle).split("/")[-2] if "/" in str(handle) else str(handle)
