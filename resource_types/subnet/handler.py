"""SE::Subnet: an address range of a network. It is no object of its own on a host: it is part of its network's definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Subnet(sdk.RecordType):
    """A record, and what it contributes to its network."""

    name: ClassVar[str] = "SE::Subnet"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        given, network = want.get("cidr"), ids.referred(want["network"])
        if network is None:
            text = f"the network{sdk.named(want['network'])} is not part of this stack: a subnet needs one of it"
            raise sdk.RefusedError(text, hint=sdk.EXISTING).about("network")
        candidates = [sdk.normal_subnet(given)] if given else sdk.open_subnets(ids, want.get("family") or "ipv4")
        found = sdk.subnet_range(ids.claim("cidr", candidates), want.get("gateway") or "", want.get("pools") or ())
        return {
            "physical_id": f"subnet-{ids.token(12, 'subnet')}", "cidr": found.cidr, "gateway": found.gateway, "prefix": found.prefix,
            "network": want["network"], "network_name": network.identity["name"], "network_path": network.path,
            "availability_zone": "local",
        }  # fmt: skip

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        return sdk.range_faults(want)

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        found = sdk.subnet_range(identity["cidr"], identity["gateway"], want.get("pools") or ())
        value: dict[str, Any] = {
            "cidr": found.cidr, "gateway": found.gateway, "prefix": found.prefix, "family": f"ipv{found.version}", "dhcp": want["dhcp"],
            "pools": [{"start": a, "end": b} for a, b in found.pools],
        }  # fmt: skip
        value.update({k: want[k] for k in ("dns_nameservers", "routes") if want.get(k)})
        return [sdk.Contribution(identity["network"], "subnets", value, identity["cidr"])]


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's IP version (the range says it, where there is one) and its IPv6 modes: with DHCPv6, or without it by router advertisements alone."""
    version, mode = properties.pop("$ip_version", None), properties.pop("$ipv6_mode", None)
    cidr = properties.get("cidr")
    if isinstance(cidr, str) and "/" in cidr and str(version) in ("4", "6") and (":" in cidr) != (str(version) == "6"):
        raise sdk.UntranslatableError(f"the range {cidr} is no IPv{version} range", "$ip_version")
    if str(version) == "6" and not cidr:
        properties["family"] = "ipv6"
    if mode in ("slaac", "dhcpv6-stateless"):
        properties["dhcp"] = False
    return properties
