"""SE::Port: a place on a network with a MAC and an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Port(sdk.RecordType):
    """A record, and the reservation that it contributes to its network."""

    name: ClassVar[str] = "SE::Port"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        subnet = ids.referred(want.get("subnet"))
        network = ids.referred(subnet.identity["network"] if subnet else want.get("network"))
        if network is None:
            prop = "subnet" if want.get("subnet") else "network"
            text = f"the {prop}{sdk.named(want.get(prop))} is not part of this stack: a port needs a network or a subnet of it"
            raise sdk.RefusedError(text, hint=sdk.EXISTING).about(prop)
        mac = ids.claim("mac", [want["mac"].lower()]) if want.get("mac") else ids.mac()
        seat = sdk.take_address(ids, subnet or network, "address", want.get("address") or "")
        more = sdk.further_addresses(ids, subnet or network, "address", want.get("also") or ())
        own = subnet.physical_id if subnet else ""
        unfiltered = sdk.unfiltered(network)
        if unfiltered and sdk.known_list(want.get("security_groups")):
            raise sdk.RefusedError(unfiltered, hint="leave its security groups out, or take a flat network")
        place = {k: v for k, v in (("port_group", want.get("port_group")), ("unfiltered", unfiltered)) if v}
        return {
            **place,
            "hostname": re.sub(r"[^A-Za-z0-9-]+", "-", ids.path).strip("-")[:63] or "port",
            "physical_id": f"port-{ids.token(12, 'port')}", "mac": mac, **seat, "more": more, "network": network.physical_id,
            "network_name": network.identity["name"], "subnet": own, "addresses": [seat["address"], *(s["address"] for s in more)],
            "fixed_ips": [{"ip_address": seat["address"], "subnet_id": own}, *({"ip_address": s["address"], "subnet_id": s["subnet"] or own} for s in more)],
        }  # fmt: skip

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        target, order = identity["network"], identity["mac"]
        found = []
        if identity["dhcp"] and ":" not in identity["address"]:
            place = {"mac": identity["mac"], "address": identity["address"], "name": identity["hostname"]}
            found.append(sdk.Contribution(target, "reservations", place, order))
        addresses = identity.get("addresses") or [identity["address"]]
        if want.get("hostname"):
            found += [sdk.Contribution(target, "names", {"address": a, "name": want["hostname"]}, order) for a in addresses]
        itself = identity["physical_id"]
        if isinstance(want.get("anti_spoofing"), bool):
            found.append(sdk.Contribution(itself, "groups", {"guarded": want["anti_spoofing"]}, "guarded"))
        if isinstance(want.get("qos"), str):
            found.append(sdk.Contribution(itself, "bandwidth", {"rules": sdk.Contributed(want["qos"], "rules")}, "qos"))
        for number, pair in enumerate(sdk.known_list(want.get("allowed_addresses"))):
            if isinstance(pair, dict):
                found.append(sdk.Contribution(itself, "groups", {"allowed": pair}, f"allowed:{number:04}"))
        for group in (g for g in sdk.known_list(want.get("security_groups")) if isinstance(g, str) and g.startswith("sg:")):
            found += [sdk.Contribution(group, "members", {"address": a}, order) for a in addresses]
            found.append(sdk.Contribution(identity["physical_id"], "groups", {"group": group}, str(group)))
        return found

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return sdk.addresses_had(identity["network"], identity.get("addresses") or [identity["address"]])

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        strange = [g for g in sdk.known_list(want.get("security_groups")) if isinstance(g, str)]
        found = [sdk.Refusal("security_groups", f"no security group {g} in this template: it filters nothing", "make it there", "warning") for g in strange]
        if want.get("subnet") or want.get("network"):
            return found
        return [*found, sdk.Refusal("", "a port needs a network or a subnet", "subnet: a reference to an SE::Subnet")]


_FIXED = {"subnet": "subnet", "subnet_id": "subnet", "ip_address": "address", "PrivateIpAddress": "address"}


def _place(entry: dict[str, Any]) -> dict[str, Any]:
    strange = sorted(entry.keys() - _FIXED.keys() - {"Primary"})
    if strange:
        raise ValueError(f"fixed_ips has no {', '.join(strange)}")
    return {_FIXED[name]: value for name, value in entry.items() if name in _FIXED and value is not None}


def _pair(pair: Any) -> Any:
    if not isinstance(pair, dict):
        return pair
    return {to: pair[k] for k, to in (("ip_address", "address"), ("mac_address", "mac")) if pair.get(k) is not None}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's and EC2's lists of addresses: the first (EC2: the primary) one, and others. The group ``default`` filters nothing."""
    if "$groups" in properties:
        groups = properties.pop("$groups")
        if isinstance(groups, list) and "default" in groups:
            properties["$notices"] = [("the group 'default' lets in everybody on its networks here, and not its own members only", "")]
        properties["security_groups"] = [g for g in groups if g != "default"] if isinstance(groups, list) else groups
    for key in ("$fixed_ips", "$addresses"):
        fixed = properties.pop(key, None)
        if not isinstance(fixed, list):
            continue
        places = [_place(entry) for entry in sorted((e for e in fixed if isinstance(e, dict)), key=lambda e: not e.get("Primary"))]
        properties.update(places[0] if places else {})
        if places[1:]:
            properties["also"] = places[1:]
    check = properties.pop("$check", None)
    if check is not None:
        properties["anti_spoofing"] = None if str(check).lower() == "true" else False
    pairs = properties.pop("$pairs", None)
    if pairs is not None:
        properties["allowed_addresses"] = [_pair(p) for p in pairs] if isinstance(pairs, list) else pairs
    properties = {k: v for k, v in properties.items() if k != "anti_spoofing" or v is not None}
    if isinstance(properties.get("mac"), str):
        properties["mac"] = re.sub("-", ":", properties["mac"]).lower()
    return properties
