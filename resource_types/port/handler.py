"""SE::Port: a place on a network with a MAC and an address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Port(sdk.ResourceType):
    """A record, and the reservation that it contributes to its network."""

    name: ClassVar[str] = "SE::Port"
    inline: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        subnet = ids.referred(want["subnet"])
        if subnet is None:
            raise sdk.RefusedError("a port needs a subnet of this stack")
        given = want.get("address")
        candidates = [given] if given else addresses(subnet.identity["cidr"], ids.random(2, "address"))
        mac = ids.claim("mac", [want["mac"].lower()]) if want.get("mac") else ids.mac()
        return {
            "physical_id": f"port-{ids.token(12, 'port')}", "mac": mac, "address": ids.claim("address", candidates),
            "network": subnet.identity["network"], "network_name": subnet.identity["network_name"], "subnet": want["subnet"],
            "hostname": re.sub(r"[^a-z0-9-]+", "-", str(want.get("hostname") or ids.path).lower()).strip("-"),
        }  # fmt: skip

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        value = {"mac": identity["mac"], "address": identity["address"], "name": identity["hostname"]}
        return [sdk.Contribution(identity["network"], "reservations", value, identity["mac"])]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return


def addresses(cidr: str, start: bytes) -> Iterable[str]:
    """Addresses of a subnet in an order that starts at a hashed place; network, gateway and broadcast left out."""
    network = ipaddress.ip_network(cidr)
    size = min(network.num_addresses, 1 << 16)
    first = int.from_bytes(start, "big") % size
    skip = {0, 1, network.num_addresses - 1}
    return (str(network[n]) for n in ((first + k) % size for k in range(size)) if n not in skip)


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's fixed_ips: one subnet, one address."""
    fixed = properties.pop("$fixed_ips", None) or [{}]
    first = fixed[0] if isinstance(fixed, list) and fixed and isinstance(fixed[0], dict) else {}
    for foreign, native in (("subnet", "subnet"), ("subnet_id", "subnet"), ("ip_address", "address")):
        if foreign in first:
            properties[native] = first[foreign]
    return properties
