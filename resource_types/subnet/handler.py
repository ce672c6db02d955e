"""SE::Subnet: an address range of a network. It is no object of its own on a host: it is part of its network's definition."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Subnet(sdk.ResourceType):
    """A record, and what it contributes to its network."""

    name: ClassVar[str] = "SE::Subnet"
    inline: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        given = want.get("cidr")
        if given:
            try:
                candidates: Iterator[str] = iter([str(ipaddress.ip_network(given))])
            except ValueError as error:
                raise sdk.RefusedError(f"{given} is not a subnet: {error}", hint="a subnet is written like 10.20.30.0/24") from error
        else:
            start = int.from_bytes(ids.random(2, "cidr"), "big")
            candidates = (f"10.{64 + (start + n) // 256 % 64}.{(start + n) % 256}.0/24" for n in range(64 * 256))
        cidr = ids.claim("cidr", candidates)
        gateway = want.get("gateway") or str(ipaddress.ip_network(cidr)[1])
        network = ids.referred(want["network"])
        return {
            "physical_id": f"subnet-{ids.token(12, 'subnet')}", "cidr": cidr, "gateway": gateway, "network": want["network"],
            "network_name": network.identity["name"] if network else "",
        }  # fmt: skip

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        network = ipaddress.ip_network(identity["cidr"])
        pools = want.get("pools") or [{"start": str(network[min(10, network.num_addresses - 2)]), "end": str(network[-2])}]
        value = {"cidr": identity["cidr"], "gateway": identity["gateway"], "dhcp": want["dhcp"], "pools": pools, "prefix": network.prefixlen,
                 "family": "ipv6" if network.version == 6 else "ipv4"}  # fmt: skip
        return [sdk.Contribution(want["network"], "subnets", value, identity["cidr"])]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return
