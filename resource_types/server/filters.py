"""Packet filters of a server's interfaces: one for each that is in a security group; it puts the groups together and drops the rest.

The definition of the domain covers a filter's life: it names the filter before the filter is made, and until it is gone. So a crash in
between leaves nothing that nobody knows of.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

PREFIX = "se-nic-"
GROUP = "sg:"
"""What a security group's physical id begins with; the rest is its filter's name. Other names are those of groups elsewhere."""


def own_groups(value: Any) -> list[Any]:
    """The groups of this stack in a list of names, and what is not known yet."""
    return [g for g in sdk.known_list(value) if not isinstance(g, str) or g.startswith(GROUP)]


def groups_of(ctx: sdk.Context) -> dict[str, list[str]]:
    """MAC -> names of the groups' filters, for interfaces that are in any."""
    return {e["mac"]: sorted({g["group"].removeprefix(GROUP) for g in e["groups"]}) for e in ctx.contributed.get("groups", ())}


def filter_name(mac: str) -> str:
    """The name of an interface's filter."""
    return PREFIX + mac.replace(":", "")


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
    kept = {filter_name(mac) for mac in keep}
    for alias, name in named_in(defined).items():
        if name not in kept:
            if running:
                ctx.host.domain_set_filter(str(ctx.identity["uuid"]), alias, "")
            ctx.host.filter_undefine(_uuid(ctx, name))


def make_filters(ctx: sdk.Context, wanted: Mapping[str, list[str]]) -> None:
    """Define what is wanted; a filter that names the same groups stays as it is, as libvirt builds its rules anew for every running guest."""
    for mac, groups in wanted.items():
        name = filter_name(mac)
        found = ctx.host.filter_info(_uuid(ctx, name))
        have = [r.get("filter") for r in ET.fromstring(found.xml).findall("filterref")] if found else None
        if have != groups:
            ctx.host.filter_define(ctx.render("filter.xml.j2", name=name, uuid=_uuid(ctx, name), groups=groups))


def _uuid(ctx: sdk.Context, name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(str(ctx.identity["uuid"])), name))
