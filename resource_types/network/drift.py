"""What somebody else changed in a network: whether it is active, its addresses, its reservations; and leases that are not ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from .live import reservations


def drift_of(ctx: sdk.Context, found: sdk.NetworkInfo, subnets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Drift entry by entry (``sdk.ResourceType.read``)."""
    if not found.active:
        return [{"prop": "active", "expected": True, "found": False}]
    root, entries = ET.fromstring(found.xml), list[dict[str, Any]]()
    bridge = root.find("bridge")
    if bridge is not None and bridge.get("name") != ctx.identity["bridge"]:
        entries.append({"prop": "bridge", "expected": ctx.identity["bridge"], "found": bridge.get("name"), "effect": "replace"})
    there = {ip.get("address") for ip in root.findall("ip")}
    for subnet in subnets:
        if subnet["gateway"] not in there:
            entries.append({"prop": "gateway", "expected": subnet["gateway"], "found": ", ".join(sorted(str(a) for a in there)) or None, "effect": "replace"})
    given = {h.get("mac", "").lower(): h.get("ip", "") for h in root.findall("ip/dhcp/host")}
    for entry in reservations(ctx).values():
        if given.get(entry["mac"]) != entry["address"]:
            entries.append({"prop": f"reservations.{entry['name']}", "expected": entry["address"], "found": given.get(entry["mac"])})
    return [*entries, *_foreign_leases(ctx)]


def _foreign_leases(ctx: sdk.Context) -> list[dict[str, Any]]:
    """Addresses of ours that somebody else has got; a restart of the network would not take them away."""
    if "leases" not in ctx.host.profile.features:
        return []
    owners = {e["address"]: e["mac"] for e in reservations(ctx).values()}
    leases = ctx.host.network_leases(str(ctx.identity["uuid"]))
    return [
        {"prop": f"leases.{address}", "expected": owners[address], "found": mac, "note": True}
        for mac, address in leases
        if address in owners and mac.lower() != owners[address]
    ]
