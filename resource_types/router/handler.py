"""SE::Router: what lets networks reach each other, and another network or the outside through the host's address."""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Any, ClassVar

from stackengine import sdk


class Router(sdk.ResourceType):
    """The host forwards between the ranges that interfaces (SE::RouterInterface) contribute; guests keep their gateways."""

    name: ClassVar[str] = "SE::Router"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        external = ids.referred(want.get("external_subnet")) or ids.referred(want.get("external"))
        return {"physical_id": f"router-{ids.token(12, 'router')}", "external_cidr": external.identity.get("cidr", "") if external is not None else ""}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        name = want.get("external")
        if not isinstance(name, str) or not name:
            return []
        text = f"no network {name} in this template: guests go out by the host's own way, where it has one"
        return [sdk.Refusal("external", text, "stack-run hosts start NAME --outbound", "notice")]

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "forwarding" in profile.features:
            return []
        return [sdk.Refusal("", "the routes and the firewall of this host stay as they are, so nothing can be routed", "use a private host: private://NAME")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        ranges = [i["cidr"] for i in ctx.contributed.get("interfaces", ())]
        entries = [{"kind": "between", "one": a, "other": b} for a, b in combinations(ranges, 2) if _version(a) == _version(b)]
        external = str(ctx.identity["external_cidr"])
        if want.get("external"):
            entries += [{"kind": "out", "cidr": c, "to": external} for c in ranges if not external or _version(c) == _version(external)]
        ctx.host.forward(_key(ctx), entries)
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {} if _key(ctx) in ctx.host.forwarding() else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))


def _version(cidr: str) -> int:
    return ipaddress.ip_network(cidr).version


def _key(ctx: sdk.Context) -> str:
    return f"{ctx.stack_id}/{ctx.identity['physical_id']}"


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's gateway of a router: ``external_gateway_info``. Which address of the outside it has is not chosen here."""
    info = properties.pop("$gateway", None)
    if info is None:
        return properties
    if not isinstance(info, dict):
        raise ValueError("external_gateway_info is a map that is known before apply")
    if str(info.get("enable_snat")).lower() == "false":
        raise ValueError("enable_snat: false is not supported: guests go out under the host's address; a floating address gives one its own")
    if info.get("external_fixed_ips"):
        properties.setdefault("$inert", []).append(sdk.Inert("$gateway.external_fixed_ips", "it goes out under the host's address"))
    properties["external"] = info.get("network", info.get("network_id"))
    return properties
