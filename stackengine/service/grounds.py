"""What a plan stands on: of each of the stack's hosts the claims of others, foreign subnets and names, room, and how the others reach it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from stackengine.model.desired import HOSTS, Desired
from stackengine.model.instance import Recorded
from stackengine.planning.ground import Ground
from stackengine.sdk import Host, HostError
from stackengine.service import inventory
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

if TYPE_CHECKING:
    from stackengine.store.store import StackRow


def gather(
    session: Session, row: StackRow, recorded: Recorded, host: Host, desired: Desired | None = None, *, returning: bool = False,
    adopting: frozenset[str] = frozenset(),
) -> Ground:  # fmt: skip
    """The ground of the stack's own host (``host``), with those of the others in it: where it has something, or ``desired`` wants something.

    ``returning``: the plan goes back to a recorded revision; ``adopting``: ids of objects that the plan takes over, which are there already.
    """
    ground = _ground(session, row, row.host, recorded, host, adopting)
    known = inventory.read(session.folder)
    dead = frozenset(h.uri for h in known.hosts if h.state == "dead")
    uris = hosts_of(row, recorded, desired or Desired()) - {row.host} - dead
    underlays = {h.uri: h.underlay for h in known.hosts}
    others = {uri: replace(_ground(session, row, uri, recorded, opened(session, uri), adopting), underlay=underlays.get(uri, "")) for uri in sorted(uris)}
    return replace(ground, returning=returning, underlay=underlays.get(row.host, ""), others=others, dead=dead)


def hosts_of(row: StackRow, recorded: Recorded, desired: Desired) -> set[str]:
    """Every host on which the stack has something, or is to have."""
    there = {h for i in recorded.instances.values() for h in (i.host, i.origin) if h}
    return {row.host, *there, *desired.extra.get(HOSTS, {}).values()}


def opened(session: Session, uri: str) -> Host:
    """A host; ServiceError with a hint when it cannot be had."""
    try:
        return session.host(uri)
    except HostError as error:
        raise unusable(uri, error) from error


def unusable(uri: str, error: HostError) -> ServiceError:
    """What to say of a host that cannot be used."""
    return ServiceError(f"the host {uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}")


def _ground(session: Session, row: StackRow, uri: str, recorded: Recorded, host: Host, adopting: frozenset[str]) -> Ground:
    """The ground of one host."""
    own = {i.identity.get("uuid") for i in recorded.instances.values()}
    try:
        networks = host.network_list()
        taken_over = [n for n in networks if {n.uuid, n.name} & adopting]
        foreign = [n for n in networks if n.uuid not in own and n not in taken_over]
        pools = {p.name: p.available for p in host.pool_list() if p.active}
    except HostError as error:
        raise unusable(uri, error) from error
    own_bridges = {*(i.identity.get("bridge") for i in recorded.instances.values()), *(n.bridge for n in taken_over)}
    routes, links = getattr(host, "routes", list), getattr(host, "links", list)
    subnets = {cidr: f"the route through {device}" for cidr, device in routes() if device not in own_bridges}
    subnets |= {s: f"the network {n.name}" for n in foreign for s in subnets_of(n.xml)}
    names = {link: "an interface of the host" for link in links() if link not in own_bridges}
    names |= {x: f"the network {n.name}" for n in foreign for x in (n.name, n.bridge) if x}
    taken = session.store.claims_of_others(uri, row.id)
    whose = {("cidr", s): has for s, has in subnets.items()} | {(k, n): has for n, has in names.items() for k in ("name", "bridge")}
    whose |= {(c.kind, c.value): f"the stack {stack}" for c, stack in taken.items()}
    memory_free = getattr(host, "memory_free", None) if not adopting else None
    capacity = getattr(host, "capacity", None) if not adopting else None
    return Ground(
        row.name, row.id, row.seed, uri, host.profile, frozenset(taken), tuple(subnets), frozenset(names),
        frozenset(m.lower() for n in foreign for m in _MAC.findall(n.xml)), memory_free() if memory_free is not None else None,
        capacity()[1] if capacity is not None else None, pools,
        whose=whose, offered=session.pools, store=session.store.id,
    )  # fmt: skip


_MAC = re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b")


def subnets_of(xml: str) -> list[str]:
    """The subnets of a libvirt network's ``<ip>`` elements."""
    found = []
    for ip in ET.fromstring(xml).findall("ip"):
        size = ip.get("netmask") or ip.get("prefix") or ("64" if ip.get("family") == "ipv6" else "24")
        found.append(str(ipaddress.ip_network(f"{ip.get('address')}/{size}", strict=False)))
    return found
