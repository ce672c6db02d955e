"""SE::Delay: waits."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from stackengine import sdk


class Delay(sdk.ResourceType):
    """Nothing but time (heat, resources/openstack/heat/delay.py); a change of it takes none."""

    name: ClassVar[str] = "SE::Delay"
    traceless: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        _wait(ctx, want, "CREATE")
        return {}

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        _wait(ctx, last, "DELETE")


def _wait(ctx: sdk.Context, want: sdk.Properties, action: str) -> None:
    if action in want["actions"]:
        sdk.pause(ctx, want["min_wait"] + want["max_jitter"] * want["jitter_multiplier"] * random.random())
