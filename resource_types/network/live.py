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


def reservations(ctx: sdk.Context) -> dict[str, dict[str, str]]:
    """By name, MAC and IPv4 address. DHCPv6 knows its clients by a DUID, which only the guest chooses, so there is nothing to reserve there."""
    found: dict[str, dict[str, str]] = {}
    for entry in ctx.contributed.get("reservations", ()):
        if "." in entry["address"]:
            name = entry["name"] if entry["name"] not in found else f"{entry['name']}-{entry['mac'].replace(':', '')}"
            found[name] = {"name": name, "mac": entry["mac"].lower(), "address": entry["address"]}
    return found


def _steps(have: Mapping[str, dict[str, str]], wanted: Mapping[str, dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """(command, entry) from what is there to what should be: a successor has the name of the one before, so that it costs one call and not two."""
    changed = {name: entry for name, entry in wanted.items() if have.get(name) != entry}
    staying = {name: entry for name, entry in have.items() if name in wanted}
    crossing = {n for n, e in changed.items() for m, h in staying.items() if m != n and (h["mac"] == e["mac"] or h["address"] == e["address"])}
    away = {name for name in have if name not in wanted or (crossing and name in changed)}
    steps = [("delete", have[name]) for name in sorted(away)]
    steps += [("modify", entry) for name, entry in changed.items() if name in have and name not in away]
    return steps + [("add", entry) for name, entry in changed.items() if name not in have or name in away]


def bring_live(ctx: sdk.Context, xml: str, names: Mapping[str, list[str]], kept: Mapping[str, Any] | None = None) -> None:
    """Change, add and remove DHCP reservations and DNS names; the slow ones (a reservation costs the host a second) only where they differ.

    ``kept``: reservations (``macs``) and names (``addresses``) that were there when the network was imported: they stay as they are.
    """
    macs, addresses = (frozenset((kept or {}).get(k, ())) for k in ("macs", "addresses"))
    root, uuid = ET.fromstring(xml), str(ctx.identity["uuid"])
    have = {h.get("name", ""): {"name": h.get("name", ""), "mac": h.get("mac", "").lower(), "address": h.get("ip", "")} for h in root.findall("ip/dhcp/host")}
    have = {name: entry for name, entry in have.items() if entry["mac"] not in macs}
    for command, entry in _steps(have, {n: e for n, e in reservations(ctx).items() if e["mac"] not in macs}):
        ctx.host.network_update(uuid, command, "ip-dhcp-host", ctx.render("host.xml.j2", **entry))
    known = {h.get("ip", ""): sorted((n.text or "").strip() for n in h.findall("hostname")) for h in root.findall("dns/host")}
    known, names = ({a: n for a, n in found.items() if a not in addresses} for found in (known, names))
    for address, listed in known.items():
        if listed != sorted(names.get(address, ())):
            ctx.host.network_update(uuid, "delete", "dns-host", ctx.render("name.xml.j2", address=address, names=listed))
    for address, listed in names.items():
        if known.get(address) != sorted(listed):
            ctx.host.network_update(uuid, "add", "dns-host", ctx.render("name.xml.j2", address=address, names=listed))
