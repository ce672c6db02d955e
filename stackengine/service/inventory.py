"""The hosts that stacks are placed on (``hosts.yaml`` in the state folder), and the choice of one for a new stack.

A stack is on one host; its servers are placed together. Without an inventory, or with ``--host``, nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stackengine.hosts.runtime import write_whole
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.planning.placement import SCHEDULERS, HostFacts, Ratios, Wanted, place
from stackengine.sdk import HostError
from stackengine.service.types import NotThereError, ServiceError

if TYPE_CHECKING:
    from stackengine.registry import ResourceTypeInfo
    from stackengine.service.session import Session

FILE = "hosts.yaml"
KNOWN_FEATURES = frozenset(("nwfilter", "forwarding", "publish", "metadata-service", "uefi", "tpm", "vsock"))
"""What types and properties say that they need (``needs`` in their schemas), of what drivers have or have not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A host of the inventory; memory in MiB."""

    uri: str
    vcpus: int
    memory: int
    zone: str = ""
    state: str = "ready"
    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """The file, read."""

    hosts: tuple[Entry, ...] = ()
    scheduler: str = "filter"
    ratios: Ratios = Ratios()

    def find(self, uri: str) -> Entry:
        """An entry; ServiceError with a hint when it is not there."""
        found = next((h for h in self.hosts if h.uri == uri), None)
        if found is None:
            known = [h.uri for h in self.hosts]
            raise NotThereError(f"{uri} is not in the inventory", hint=did_you_mean(uri, known) or f"stack-run hosts add {uri}")
        return found


def read(folder: Path) -> Inventory:
    """The inventory of a state folder; empty without a file. ServiceError says what is wrong with it."""
    file = folder / FILE
    if not file.is_file():
        return Inventory()
    try:
        data = yaml.safe_load(file.read_text("utf-8")) or {}
        hosts = tuple(_entry(h) for h in data.get("hosts") or ())
        scheduler, ratios = data.get("scheduler") or "filter", Ratios(**(data.get("overcommit") or {}))
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError) as error:
        raise ServiceError(f"{file} cannot be read: {error}", hint="a host has uri, vcpus, memory (MiB), and perhaps zone, labels, state") from error
    if scheduler not in SCHEDULERS:
        raise ServiceError(f"{file}: there is no scheduler {scheduler}", hint=f"one of: {', '.join(SCHEDULERS)}")
    return Inventory(hosts, scheduler, ratios)


def _entry(data: Mapping[str, Any]) -> Entry:
    listed = {k: tuple(str(v) for v in data.get(k) or ()) for k in ("labels", "features")}
    return Entry(str(data["uri"]), int(data["vcpus"]), int(data["memory"]), str(data.get("zone") or ""), str(data.get("state") or "ready"), **listed)


def write(folder: Path, inventory: Inventory) -> None:
    """Write the file whole."""
    hosts = [{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(h).items() if v} for h in inventory.hosts]
    data = {"scheduler": inventory.scheduler, "overcommit": asdict(inventory.ratios), "hosts": hosts}
    write_whole(folder / FILE, yaml.safe_dump(data, sort_keys=False))


def add(session: Session, uri: str, *, zone: str = "", labels: tuple[str, ...] = (), vcpus: int | None = None, memory: int | None = None) -> Entry:
    """Take a host up, or change what is known of it; what is not given is asked of the host, which is opened (a private one starts)."""
    try:
        host: Any = session.host(uri)
        features = tuple(sorted(host.profile.features & KNOWN_FEATURES))
        cores, size = host.capacity()
    except HostError as error:
        raise ServiceError(f"{uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error
    entry = Entry(uri, vcpus or cores, memory or size, zone, "ready", labels, features)
    known = read(session.folder)
    write(session.folder, replace(known, hosts=(*(h for h in known.hosts if h.uri != uri), entry)))
    return entry


def remove(session: Session, uri: str) -> None:
    """Take a host out of the inventory; its stacks stay where they are."""
    known = read(session.folder)
    gone = known.find(uri)
    write(session.folder, replace(known, hosts=tuple(h for h in known.hosts if h is not gone)))


def turn(session: Session, uri: str, state: str) -> list[str]:
    """``ready``, ``cordoned`` or ``draining``; the stacks that are there."""
    known = read(session.folder)
    found = known.find(uri)
    write(session.folder, replace(known, hosts=tuple(replace(h, state=state) if h is found else h for h in known.hosts)))
    return sorted(s.name for s in session.store.stacks() if s.host == uri)


def facts(session: Session, inventory: Inventory) -> list[HostFacts]:
    """The hosts with what the stacks on them claim."""
    claimed: dict[str, tuple[int, int, int]] = {}
    for row in session.store.stacks():
        demands = [info.handler.demand(i.properties) for i in session.store.recorded(row.id).instances.values() if (info := session.registry.get(i.type))]
        vcpus, memory, stacks = claimed.get(row.host, (0, 0, 0))
        claimed[row.host] = (vcpus + sum(d.vcpus for d in demands), memory + sum(d.memory for d in demands), stacks + 1)
    found = []
    for h in inventory.hosts:
        vcpus, memory, stacks = claimed.get(h.uri, (0, 0, 0))
        found.append(HostFacts(h.uri, h.vcpus, h.memory, h.state, h.zone, frozenset(h.labels), frozenset(h.features), vcpus, memory, stacks))
    return found


def wanted(session: Session, name: str, desired: Desired, zone: str = "", labels: frozenset[str] = frozenset()) -> Wanted:
    """What a whole stack wants of its host."""
    demands, needs = [], set[str]()
    for resource in desired.resources.values():
        info = session.registry.get(resource.type)
        if info is not None:
            demands.append(info.handler.demand(resource.properties))
            needs |= _needs(info, resource.properties)
    return Wanted(name, sum(d.vcpus for d in demands), sum(d.memory for d in demands), zone, labels, frozenset(needs))


def _needs(info: ResourceTypeInfo, properties: Mapping[str, Any]) -> set[str]:
    of_type = {str(info.schema["needs"])} if "needs" in info.schema else set()
    used = {str(s["needs"]) for n, s in info.properties.items() if "needs" in s and properties.get(n) not in (None, False, [], "bios")}
    return (of_type | used) & KNOWN_FEATURES


def choose(session: Session, name: str, desired: Desired, diagnostics: Diagnostics) -> str | None:
    """A host for a new stack, with a notice that says why; None without an inventory. K110 when no host fits."""
    inventory = read(session.folder)
    if not inventory.hosts:
        return None
    hosts, whole = facts(session, inventory), wanted(session, name, desired)
    found = place([whole], hosts, inventory.scheduler, inventory.ratios, name.encode())
    if name not in found.on:
        diagnostics.error(
            "K110", f"no host fits {name}, which wants {whole.vcpus} vCPUs and {whole.memory} MiB: {found.reasons(name)}",
            hint="stack-run hosts ls shows what is there; hosts add takes another one up, and --host names one whatever is said of it",
        )  # fmt: skip
        return None
    uri = found.on[name]
    why = _not_taken(hosts, whole, inventory.ratios)
    diagnostics.notice("K111", f"{name} goes to {uri}, by the scheduler {inventory.scheduler} from {len(hosts)} hosts{why}")
    return uri


def _not_taken(hosts: list[HostFacts], whole: Wanted, ratios: Ratios) -> str:
    """Why hosts were rejected, one by one."""
    alone = [place([whole], [h], ratios=ratios) for h in hosts]
    reasons = [found.reasons(whole.path) for found in alone if whole.path not in found.on]
    return f"; not {'; not '.join(reasons)}" if reasons else ""
