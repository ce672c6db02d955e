"""Packet filters of a server's interfaces: one for each that is in a security group (it puts the groups together and drops the rest) or guarded.

A guarded interface sends from its own MAC and addresses only, and from those that its port allows besides. Every one whose addresses are known is
guarded where the host can, as in the clouds, unless its port or its server says otherwise.

The definition of the domain covers a filter's life: it names the filter before the filter is made, and until it is gone. So a crash in
between leaves nothing that nobody knows of.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from .identity import addresses_of

PREFIX = "se-nic-"
FEATURE = "nwfilter"
GROUP = "sg:"
"""What a security group's physical id begins with; the rest is its filter's name. Other names are those of groups elsewhere."""


def own_groups(value: Any) -> list[Any]:
    """The groups of this stack in a list of names, and what is not known yet."""
    return [g for g in sdk.known_list(value) if not isinstance(g, str) or g.startswith(GROUP)]


def groups_by_interface(want: sdk.Properties, count: int = 0) -> list[list[Any]]:
    """The groups of every interface (of ``count`` at least, where it was imported with more): its own, or those of its server."""
    listed = sdk.known_list(want.get("networks"))
    said = [entry.get("security_groups") if isinstance(entry, dict) else None for entry in listed]
    usual = own_groups(want.get("security_groups"))
    found = [usual if groups is None else own_groups(groups) for groups in said]
    return [*found, *([usual] * (count - len(found)))]


@dataclass(frozen=True, slots=True)
class Guard:
    """What an interface's filter says."""

    groups: tuple[str, ...] = ()
    """Names of the groups' filters."""
    guarded: bool = True
    addresses: tuple[tuple[str, int], ...] = ()
    """(address, bits of its prefix) from which it may send."""
    macs: bool = False
    """Whether it may send from other MACs, too."""

    @property
    def ranges(self) -> bool:
        """Whether it may send from whole ranges: then ARP is not looked at, as its rules know single addresses only (formatnwfilter.html)."""
        return any("." in address and bits < 32 for address, bits in self.addresses)


def groups_of(ctx: sdk.Context, want: sdk.Properties) -> dict[str, Guard]:
    """MAC -> its guard, for interfaces that are in a group, or guarded without one."""
    contributed = {entry["mac"]: entry["groups"] for entry in ctx.contributed.get("groups", ())}
    usual = FEATURE in ctx.host.profile.features if want.get("anti_spoofing") is None else bool(want["anti_spoofing"])
    found = {}
    for nic in ctx.identity["nics"]:
        said = contributed.get(nic["mac"], ())
        groups = tuple(sorted({g["group"].removeprefix(GROUP) for g in said if "group" in g}))
        wish = next((g["guarded"] for g in said if "guarded" in g), None)
        own = [*addresses_of(nic), *_self_made(nic)]
        guarded = bool(own) and (usual if wish is None else bool(wish))
        allowed = [a for g in said if (a := g.get("allowed"))]
        if (groups or guarded) and not nic.get("unfiltered"):
            ranges = [ipaddress.ip_network(a, strict=False) for a in (*own, *(a["address"] for a in allowed))] if guarded else []
            listed = tuple(sorted({(str(n.network_address), n.prefixlen) for n in ranges}))
            found[nic["mac"]] = Guard(groups, guarded, listed, any(a.get("mac") for a in allowed))
    return found


def _self_made(nic: Mapping[str, Any]) -> list[str]:
    """IPv6 addresses that a guest makes itself of a router's advertisement and its MAC (RFC 4862, RFC 4291 appendix A), in the ranges that it has."""
    part = bytes.fromhex(nic["mac"].replace(":", ""))
    number = int.from_bytes(bytes([part[0] ^ 2]) + part[1:3] + b"\xff\xfe" + part[3:], "big")
    seats = [s for s in (nic, *(nic.get("more") or ())) if ":" in s["address"] and s["prefix"] == 64]
    return [str(ipaddress.ip_network(f"{s['address']}/64", strict=False)[number]) for s in seats]


def filter_name(identity: Mapping[str, Any], mac: str) -> str:
    """The name of an interface's filter: also of the server, as a successor may have the port, and both are there for a while."""
    return f"{PREFIX}{mac.replace(':', '')}-{identity['uuid'][:8]}"


def named_in(xml: str) -> dict[str, str]:
    """Alias of the interface -> its filter of ours, as a domain's XML says."""
    found = {}
    for interface in ET.fromstring(xml).findall("devices/interface") if xml else ():
        alias, used = interface.find("alias"), interface.find("filterref")
        if alias is not None and used is not None and used.get("filter", "").startswith(PREFIX):
            found[alias.get("name", "")] = used.get("filter", "")
    return found


def drop_filters(ctx: sdk.Context, defined: str, keep: Mapping[str, Any], *, running: bool) -> None:
    """Take away the filters that ``defined`` (inactive XML) names, except those of the MACs in ``keep``: from what runs, then from the host."""
    kept = {filter_name(ctx.identity, mac) for mac in keep}
    for alias, name in named_in(defined).items():
        if name not in kept:
            if running:
                ctx.host.domain_set_filter(str(ctx.identity["uuid"]), alias, "")
            ctx.host.filter_undefine(_uuid(ctx, name))


def make_filters(ctx: sdk.Context, wanted: Mapping[str, Guard], *, fresh: bool = False) -> None:
    """Define what is wanted; a filter that says the same stays as it is, as libvirt builds its rules anew for every running guest.

    ``fresh``: there was no domain before, so that nothing runs with the filters, whatever they say.
    """
    for mac, guard in wanted.items():
        name = filter_name(ctx.identity, mac)
        found = None if fresh else ctx.host.filter_info(_uuid(ctx, name))
        xml = ctx.render("filter.xml.j2", name=name, uuid=_uuid(ctx, name), guard=guard)
        if found is None or _said(found.xml) != _said(xml):
            ctx.host.filter_define(xml)


def _said(xml: str) -> tuple[list[str], set[tuple[str, str]], bool, bool]:
    """Of a filter: its groups, the addresses that it lets through, whether it drops the rest, whether it looks at MACs."""
    root = ET.fromstring(xml)
    sources = {(e.tag, e.get("srcipaddr", "")) for e in root.findall("rule/*") if e.tag in ("ip", "ipv6") and e.get("srcipaddr")}
    groups = [str(r.get("filter")) for r in root.findall("filterref")]
    return groups, sources, root.find("rule/all") is not None, root.find("rule/mac") is not None


def _uuid(ctx: sdk.Context, name: str) -> str:
    import uuid  # brings much with it that checking a template does not need

    return str(uuid.uuid5(uuid.UUID(str(ctx.identity["uuid"])), name))
