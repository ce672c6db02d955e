"""SE::FloatingIPAssociation: a floating address and the guest that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class FloatingIPAssociation(sdk.ResourceType):
    """One address stands for one guest at a time."""

    name: ClassVar[str] = "SE::FloatingIPAssociation"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        if ids.referred(want["floating_ip"]) is None:
            raise sdk.RefusedError(f"the floating address{sdk.named(want['floating_ip'])} is not part of this stack").about("floating_ip")
        return {"physical_id": f"fipa-{ids.token(12, 'association')}"}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if bool(want.get("port")) == bool(want.get("server")):
            return [sdk.Refusal("", "a floating address stands for one port, or for one server")]
        return []

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset({f"floating:{want['floating_ip']}"})

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        floating = ctx.referred(want["floating_ip"])
        guest = ctx.referred(want["port"]) if want.get("port") else ctx.referred(want["server"])
        if floating is None or guest is None:
            raise sdk.FailedError("an association needs a floating address and a guest of this stack", hint=sdk.NAME_IT)
        ctx.host.forward(_key(ctx), [sdk.floating_entry(str(floating.identity["address"]), guest, want.get("fixed_address") or "")])
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {} if _key(ctx) in ctx.host.forwarding() else None

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Nova and EC2 name the address where we name the resource that has it."""
    if "floating_ip" in properties:
        properties["floating_ip"] = sdk.resource_of(properties["floating_ip"])
    return properties


def _key(ctx: sdk.Context) -> str:
    return f"{ctx.stack_id}/{ctx.identity['physical_id']}"
