"""SE::TestResource: what Heat's TestResource does (heat, resources/openstack/heat/test_resource.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

FOR_EVER = 10 * 365 * 86_400.0


class TestResource(sdk.ResourceType):
    """A record that takes its time."""

    name: ClassVar[str] = "SE::TestResource"
    traceless: ClassVar[bool] = True

    def effects(self, last: sdk.Properties, want: sdk.Properties, profile: sdk.Profile) -> Mapping[str, sdk.Effect]:
        return {"value": "replace"} if want.get("update_replace") is True and last.get("value") != want.get("value") else {}

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        self._end(ctx, want, "create")
        return {"output": want["value"]}

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        """Only another value takes time; the empty text is no value, as in Heat."""
        changes = want["value"] != last.get("value") and want["value"]
        self._end(ctx, want, "update" if changes else "")
        return {"output": want["value"] if changes else ctx.attributes.get("output", want["value"])}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        _wait(ctx, last, "delete")

    @staticmethod
    def _end(ctx: sdk.Context, want: sdk.Properties, action: str) -> None:
        _wait(ctx, want, action)
        if want["fail"]:
            raise sdk.FailedError(f"Test Resource failed {ctx.path}", hint="fail: true says so")


def _wait(ctx: sdk.Context, want: sdk.Properties, action: str) -> None:
    if not action:
        return
    seconds = (want.get("action_wait_secs") or {}).get(action)
    seconds = want.get("wait_secs", 0) if seconds is None else seconds
    sdk.pause(ctx, FOR_EVER if seconds < 0 else seconds)
