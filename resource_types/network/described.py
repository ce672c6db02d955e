"""A network of the host, whoever made it, in the words of SE::Network."""

from __future__ import annotations

import ipaddress
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk


def described(found: sdk.NetworkInfo) -> sdk.Described:
    """Its identity has no address range: on a network that is not the stack's, addresses are given by whoever runs it."""
    root = ET.fromstring(found.xml)
    forward, domain, mtu = root.find("forward"), root.find("domain"), root.find("mtu")
    properties: dict[str, Any] = {"mode": forward.get("mode", "nat") if forward is not None else "isolated", "dhcp": False}
    if domain is not None and domain.get("name"):
        properties["domain"] = domain.get("name")
    if mtu is not None:
        properties["mtu"] = int(mtu.get("size", "0"))
    attributes: dict[str, Any] = {}
    ip = root.find("ip")
    if ip is not None:
        gateway, size = ip.get("address", ""), ip.get("netmask") or ip.get("prefix") or "24"
        range_ = ipaddress.ip_network(f"{gateway}/{size}", strict=False)
        attributes = {"cidr": str(range_), "gateway": gateway, "prefix": range_.prefixlen}
        pools = [{"start": r.get("start", ""), "end": r.get("end", "")} for r in ip.findall("dhcp/range")]
        properties |= {"cidr": str(range_), "gateway": gateway, "dhcp": ip.find("dhcp") is not None, **({"pools": pools} if pools else {})}
    identity = {"physical_id": found.uuid, "uuid": found.uuid, "name": found.name, "bridge": found.bridge}
    return sdk.Described(identity, properties, attributes)
