"""Reservations and names of a running network: brought to what they should be, one call for each that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk


def dns_names(gateways: Mapping[str, list[str]], contributed: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Address -> names. A name stands once, at the first address that has it: libvirt refuses to add it a second time."""
    found, seen = {a: list(names) for a, names in gateways.items()}, {n for names in gateways.values() for n in names}
    for entry in contributed:
        if entry["address"] and entry["name"] not in seen:
            seen.add(entry["name"])
            found.setdefault(entry["address"], []).append(entry["name"])
    return found


def reservations(ctx: sdk.Context) -> dict[str, str]:
    """MAC -> reserved IPv4 address. DHCPv6 knows its clients by a DUID, which only the guest chooses, so there is nothing to reserve there."""
    return {r["mac"].lower(): r["address"] for r in ctx.contributed.get("reservations", ()) if "." in r["address"]}


def bring_live(ctx: sdk.Context, xml: str, names: Mapping[str, list[str]]) -> None:
    """Change, add and remove DHCP reservations and DNS names; the slow ones (a reservation costs the host a second) only where they differ."""
    root, uuid = ET.fromstring(xml), str(ctx.identity["uuid"])
    have = {h.get("mac", "").lower(): h.get("ip", "") for h in root.findall("ip/dhcp/host")}
    wanted = reservations(ctx)
    for mac, address in have.items():
        if wanted.get(mac) != address:
            ctx.host.network_update(uuid, "delete", "ip-dhcp-host", ctx.render("host.xml.j2", mac=mac, address=address))
    for mac, address in wanted.items():
        if have.get(mac) != address:
            ctx.host.network_update(uuid, "add", "ip-dhcp-host", ctx.render("host.xml.j2", mac=mac, address=address))
    known = {h.get("ip", ""): sorted((n.text or "").strip() for n in h.findall("hostname")) for h in root.findall("dns/host")}
    for address, listed in known.items():
        if listed != sorted(names.get(address, ())):
            ctx.host.network_update(uuid, "delete", "dns-host", ctx.render("name.xml.j2", address=address, names=listed))
    for address, listed in names.items():
        if known.get(address) != sorted(listed):
            ctx.host.network_update(uuid, "add", "dns-host", ctx.render("name.xml.j2", address=address, names=listed))
