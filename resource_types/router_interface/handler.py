"""SE::RouterInterface: a range that a router routes. No object of its own on a host: part of the router."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class RouterInterface(sdk.RecordType):
    """A record, and the range that it contributes to its router."""

    name: ClassVar[str] = "SE::RouterInterface"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        port = ids.referred(want.get("port"))
        place = ids.referred(want.get("subnet")) or ids.referred(want.get("network"))
        if port is not None:
            place = ids.referred(port.identity["subnet"]) or ids.referred(port.identity["network"])
        if ids.referred(want["router"]) is None:
            raise sdk.RefusedError(f"the router{sdk.named(want['router'])} is not part of this stack").about("router")
        if place is None or "cidr" not in place.identity:
            raise sdk.RefusedError("an interface of a router needs a range of this stack", hint="subnet: a reference to an SE::Subnet")
        return {"physical_id": f"rif-{ids.token(12, 'interface')}", "cidr": place.identity["cidr"], "gateway": place.identity["gateway"]}

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        return [sdk.Contribution(want["router"], "interfaces", {"cidr": identity["cidr"]}, identity["cidr"])]

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if any(want.get(k) for k in ("subnet", "network", "port")):
            return []
        return [sdk.Refusal("", "an interface of a router needs a subnet, a network or a port")]
