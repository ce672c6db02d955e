"""SE::WaitCondition: waits for signals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class WaitCondition(sdk.RecordType):
    """A gate and nothing else."""

    name: ClassVar[str] = "SE::WaitCondition"
    remake_failed: ClassVar[bool] = True

    def gate(self, identity: Mapping[str, Any], want: sdk.Properties) -> sdk.Gate | None:
        return sdk.Gate("signal", float(sdk.known(want.get("timeout"), 600)), handle=sdk.handle_id(want["handle"]), count=int(sdk.known(want.get("count"), 1)))

    def ready(self, ctx: sdk.Context, want: sdk.Properties, received: list[dict[str, Any]]) -> dict[str, sdk.Value]:
        return {"data": json.dumps({s["id"]: s.get("data") for s in received})}
