"""Networks that were there before their stack: in the words of SE::Network, and what stays theirs when one is imported."""

from __future__ import annotations

import ipaddress
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

OURS = "urn:stackengine:1"
MODES = {"bridge": "flat", "route": "routed"}
"""libvirt's word for a forward mode -> ours, where they differ (formatnetwork.html, element forward)."""


def described(found: sdk.NetworkInfo) -> sdk.Described:
    """Its identity has no address range: on a network that is not the stack's, addresses are given by whoever runs it."""
    root = ET.fromstring(found.xml)
    forward, domain, mtu = root.find("forward"), root.find("domain"), root.find("mtu")
    kind = forward.get("mode", "nat") if forward is not None else "isolated"
    properties: dict[str, Any] = {"mode": MODES.get(kind, kind), "dhcp": False}
    if properties["mode"] == "flat":
        properties |= {"bridge": found.bridge, "dhcp": True}
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


def draft(found: sdk.NetworkInfo) -> sdk.Draft:
    """What a template would say of it."""
    root, properties = ET.fromstring(found.xml), dict(described(found).properties)
    unsaid = ["it belongs to a stack"] if OURS in found.xml else []
    if properties["mode"] not in ("nat", "isolated", "routed", "open", "flat"):
        unsaid.append(f"its forward mode is {properties['mode']}")
    if len(root.findall("ip")) > 1:
        unsaid.append("it has more than one address range")
    if not found.active:
        unsaid.append("it is not active")
    if "cidr" not in properties or properties["dhcp"]:
        del properties["dhcp"]
    return sdk.Draft(found.name, found.name, properties, tuple(unsaid))


def theirs(xml: str) -> dict[str, Any]:
    """The reservations (by MAC) and names (by address) that a network had when it was imported: nothing of ours touches them."""
    root = ET.fromstring(xml)
    macs = sorted(h.get("mac", "").lower() for h in root.findall("ip/dhcp/host"))
    return {"macs": macs, "addresses": sorted(h.get("ip", "") for h in root.findall("dns/host"))}


def owned(xml: str, ownership: str) -> str:
    """The definition with its owner in the metadata, and nothing else changed."""
    root = ET.fromstring(xml)
    holder = root.find("metadata")
    if holder is None:
        holder = ET.Element("metadata")
        root.insert(0, holder)
    for old in holder.findall(f"{{{OURS}}}stack"):
        holder.remove(old)
    holder.append(ET.fromstring(ownership))
    return ET.tostring(root, encoding="unicode")
