"""Limits of bandwidth of a server's interfaces, by the policies of their ports.

Neutron counts kilobits and sees a rule's direction from the server; libvirt counts KiB, and from the server, too (formatdomain.html, element bandwidth).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

WORDS = {"ingress": "inbound", "egress": "outbound"}


def contributed(identity: Mapping[str, Any], nic: Mapping[str, Any]) -> list[sdk.Contribution]:
    """The rules of one interface, for the server itself; none where it has no port."""
    if not nic["port"]:
        return []
    value = {"mac": nic["mac"], "policies": sdk.Contributed(nic["port"], "bandwidth")}
    return [sdk.Contribution(identity["physical_id"], "bandwidth", value, nic["mac"])]


def limits_of(ctx: sdk.Context) -> dict[str, dict[str, dict[str, int]]]:
    """MAC -> libvirt's word for the direction -> average (KiB/s) and burst (KiB)."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for entry in ctx.contributed.get("bandwidth", ()):
        for rule in (r for policy in entry["policies"] for r in policy["rules"]):
            limit = {"average": _kib(rule["max_kbps"])}
            if rule.get("max_burst_kbps"):
                limit["burst"] = _kib(rule["max_burst_kbps"])
            found.setdefault(entry["mac"], {})[WORDS[rule["direction"]]] = limit
    return found


def limits_in(xml: str) -> dict[str, dict[str, dict[str, int]]]:
    """The same of a domain's XML, by MAC; what the host filled in is left out."""
    found = {}
    for interface in ET.fromstring(xml).findall("devices/interface"):
        mac, bandwidth = interface.find("mac"), interface.find("bandwidth")
        if mac is not None and bandwidth is not None:
            said = {e.tag: {k: int(v) for k, v in e.attrib.items() if k in ("average", "burst")} for e in bandwidth if e.tag in WORDS.values()}
            found[mac.get("address", "")] = said
    return found


def _kib(kilobits: int) -> int:
    return max(1, round(kilobits * 1000 / 8 / 1024))
