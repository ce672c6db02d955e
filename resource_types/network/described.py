"""Networks that were there before their stack: in the words of SE::Network, and what stays theirs when one is imported."""

from __future__ import annotations

import ipaddress
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from .bridged import BRIDGED, DIRECT, FLAT, VLAN, tags_of

OURS = "urn:stackengine:1"
MODES = {"bridge": "flat", "route": "routed"}
"""libvirt's word for a forward mode -> ours, where they differ (formatnetwork.html, element forward)."""


def described(found: sdk.NetworkInfo) -> sdk.Described:
    """Its identity has no address range: on a network that is not the stack's, addresses are given by whoever runs it."""
    root = ET.fromstring(found.xml)
    domain, mtu = root.find("domain"), root.find("mtu")
    properties: dict[str, Any] = {"mode": mode_of(root), "dhcp": False}
    if properties["mode"] in BRIDGED:
        properties["dhcp"] = True
    if properties["mode"] in (FLAT, VLAN):
        properties["bridge"] = found.bridge
    if properties["mode"] == VLAN:
        groups = {g.get("name", ""): tags_of(g) for g in root.findall("portgroup")}
        properties |= {**tags_of(root), **({"port_groups": groups} if groups else {})}
    if properties["mode"] == DIRECT:
        forward = root.find("forward")
        assert forward is not None
        properties |= {"device": forward.get("dev", ""), "macvtap": forward.get("mode", "")}
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


def mode_of(root: ET.Element) -> str:
    """Our word for the kind of a ``<network>``."""
    forward, port = root.find("forward"), root.find("virtualport")
    kind = forward.get("mode", "nat") if forward is not None else "isolated"
    if root.find("bridge") is None and root.find("forward/interface") is not None:
        return DIRECT
    if kind == "bridge" and port is not None and port.get("type") == "openvswitch":
        return VLAN
    return MODES.get(kind, kind)


def draft(found: sdk.NetworkInfo) -> sdk.Draft:
    """What a template would say of it."""
    root, properties = ET.fromstring(found.xml), dict(described(found).properties)
    unsaid = ["it belongs to a stack"] if OURS in found.xml else []
    if properties["mode"] not in ("nat", "isolated", "routed", "open", *BRIDGED):
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
