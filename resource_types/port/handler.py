"""SE::Port: a place on a network with a MAC and an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Port(sdk.ResourceType):
    """A record, and the reservation that it contributes to its network."""

    name: ClassVar[str] = "SE::Port"
    inline: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        subnet = ids.referred(want.get("subnet"))
        network = ids.referred(subnet.identity["network"] if subnet else want.get("network"))
        if network is None:
            raise sdk.RefusedError("a port needs a network or a subnet of this stack")
        place = subnet or network
        if "cidr" not in place.identity:
            raise sdk.RefusedError(f"the network {network.path} has no address range", hint="give it a subnet, or a cidr of its own")
        found = sdk.subnet_range(place.identity["cidr"], place.identity["gateway"], place.properties.get("pools") or ())
        mac = ids.claim("mac", [want["mac"].lower()]) if want.get("mac") else ids.mac()
        address = ids.claim("address", sdk.free_addresses(found, ids.random(2, "address"), want.get("address") or ""))
        return {
            "hostname": re.sub(r"[^A-Za-z0-9-]+", "-", ids.path).strip("-")[:63] or "port",
            "physical_id": f"port-{ids.token(12, 'port')}", "mac": mac, "address": address, "prefix": found.prefix, "gateway": found.gateway,
            "dhcp": place.properties.get("dhcp", True), "network": network.physical_id, "network_name": network.identity["name"],
            "subnet": subnet.physical_id if subnet else "", "fixed_ips": [{"ip_address": address, "subnet_id": subnet.physical_id if subnet else ""}],
        }  # fmt: skip

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        target, order = identity["network"], identity["mac"]
        found = [sdk.Contribution(target, "reservations", {"mac": identity["mac"], "address": identity["address"], "name": identity["hostname"]}, order)]
        if want.get("hostname"):
            found.append(sdk.Contribution(target, "names", {"address": identity["address"], "name": want["hostname"]}, order))
        for group in (g for g in sdk.known_list(want.get("security_groups")) if isinstance(g, str) and g.startswith("sg:")):
            found.append(sdk.Contribution(group, "members", {"address": identity["address"]}, order))
            found.append(sdk.Contribution(identity["physical_id"], "groups", {"group": group}, str(group)))
        return found

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        strange = [g for g in sdk.known_list(want.get("security_groups")) if isinstance(g, str)]
        found = [sdk.Refusal("security_groups", f"no security group {g} in this template: it filters nothing", "make it there", "warning") for g in strange]
        if want.get("subnet") or want.get("network"):
            return found
        return [*found, sdk.Refusal("", "a port needs a network or a subnet", "subnet: a reference to an SE::Subnet")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return


_FIXED = {"subnet": "subnet", "subnet_id": "subnet", "ip_address": "address", "PrivateIpAddress": "address"}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's and EC2's lists of addresses: a port has one here. The group ``default`` filters nothing."""
    if "$groups" in properties:
        groups = properties.pop("$groups")
        properties["security_groups"] = [g for g in groups if g != "default"] if isinstance(groups, list) else groups
    for key in ("$fixed_ips", "$addresses"):
        fixed = properties.pop(key, None)
        if not isinstance(fixed, list):
            continue
        if len(fixed) > 1:
            raise ValueError("a port has one address; make a port for each")
        for name, value in (fixed[0] if fixed and isinstance(fixed[0], dict) else {}).items():
            if name not in _FIXED and name != "Primary":
                raise ValueError(f"fixed_ips has no {name}")
            if name in _FIXED:
                properties[_FIXED[name]] = value
    if isinstance(properties.get("mac"), str):
        properties["mac"] = re.sub("-", ":", properties["mac"]).lower()
    return properties
