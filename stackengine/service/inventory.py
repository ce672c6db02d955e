"""The hosts that servers are placed on (``hosts.yaml`` in the state folder): what each has, and what of it is claimed."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stackengine import locks
from stackengine.hosts.runtime import write_whole
from stackengine.model.diagnostics import did_you_mean
from stackengine.planning.placement import SCHEDULERS, HostFacts, Ratios
from stackengine.planning.spread import label_of
from stackengine.sdk import HostError
from stackengine.service.types import NotThereError, ServiceError

if TYPE_CHECKING:
    from stackengine.registry import ResourceTypeInfo
    from stackengine.service.session import Session

FILE = "hosts.yaml"
LIMITED = frozenset(("call", "image-copy", "guest-start", "total"))
SIZES = ("vcpus", "memory")
"""What every host has; of one that was never listed and is said to be dead nobody knows it: 0."""
STATES = ("ready", "cordoned", "draining", "dead")
KNOWN_FEATURES = frozenset(("nwfilter", "forwarding", "overlay", "publish", "metadata-service", "uefi", "tpm", "vsock"))
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
    groups: tuple[str, ...] = ()
    underlay: str = ""
    """The address by which the other hosts reach it: tunnels of networks, guests that move."""
    overcommit: Mapping[str, float] = field(default_factory=dict)
    """Ratios of its own: vcpus, memory."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many actions run there at a time, by kind (call, image-copy, guest-start), and ``total``."""

    @property
    def ratios(self) -> Ratios | None:
        """Its own ratios; None where the inventory's count."""
        return Ratios(**self.overcommit) if self.overcommit else None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The file, read."""

    hosts: tuple[Entry, ...] = ()
    scheduler: str = "filter"
    ratios: Ratios = Ratios()
    limits: Mapping[str, int] = field(default_factory=dict)
    """Of every host that has none of its own, also of those that are not listed."""

    def find(self, uri: str) -> Entry:
        """An entry by URI or short name; ServiceError with a hint when it is not there."""
        found = next((h for h in self.hosts if uri in (h.uri, label_of(h.uri))), None)
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
        limits = _limits(data)
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError) as error:
        raise ServiceError(f"{file} cannot be read: {error}", hint="a host has uri, vcpus, memory (MiB), and perhaps zone, labels, state") from error
    if scheduler not in SCHEDULERS:
        raise ServiceError(f"{file}: there is no scheduler {scheduler}", hint=f"one of: {', '.join(SCHEDULERS)}")
    return Inventory(hosts, scheduler, ratios, limits)


def _entry(data: Mapping[str, Any]) -> Entry:
    listed = {k: tuple(str(v) for v in data.get(k) or ()) for k in ("labels", "features", "groups")}
    ratios = {str(k): float(v) for k, v in (data.get("overcommit") or {}).items()}
    if wrong := sorted(ratios.keys() - {"vcpus", "memory"}):
        raise ValueError(f"overcommit knows vcpus and memory, not {wrong[0]}")
    known = {**dict.fromkeys(SIZES, 0), **data} if data.get("state") == "dead" else data
    zone, state, underlay = (str(data.get(k) or d) for k, d in (("zone", ""), ("state", "ready"), ("underlay", "")))
    return Entry(str(data["uri"]), int(known["vcpus"]), int(known["memory"]), zone, state, underlay=underlay, overcommit=ratios, limits=_limits(data), **listed)


def _limits(data: Mapping[str, Any]) -> dict[str, int]:
    found = {str(k): int(v) for k, v in (data.get("limits") or {}).items()}
    if wrong := sorted(found.keys() - LIMITED):
        raise ValueError(f"limits know {', '.join(sorted(LIMITED))}, not {wrong[0]}")
    if any(v < 1 for v in found.values()):
        raise ValueError("a limit is at least 1")
    return found


def write(folder: Path, inventory: Inventory) -> None:
    """Write the file whole."""
    hosts = [{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(h).items() if v or k in SIZES} for h in inventory.hosts]
    limits = {"limits": dict(inventory.limits)} if inventory.limits else {}
    data = {"scheduler": inventory.scheduler, "overcommit": asdict(inventory.ratios), **limits, "hosts": hosts}
    write_whole(folder / FILE, yaml.safe_dump(data, sort_keys=False))


def change(folder: Path, made: Callable[[Inventory], Inventory]) -> Inventory:
    """Replace what is in the file by what ``made`` makes of it: nobody else changes it meanwhile, so nothing that others say is lost."""
    with locks.alone(folder / "locks" / "inventory.lock"):
        after = made(read(folder))
        write(folder, after)
    return after


def _with(known: Inventory, entry: Entry) -> Inventory:
    """With this entry, in the place of what was said of its host."""
    return replace(known, hosts=(*(h for h in known.hosts if h.uri != entry.uri), entry))


def add(session: Session, uri: str, *, vcpus: int | None = None, memory: int | None = None, **known: Any) -> Entry:
    """Take a host up, or change what is known of it (``known``: fields of :class:`Entry`; None leaves them as they are).

    What is not given of a new one is asked of it: it is opened, and a private one starts.
    """
    given = {k: v for k, v in {"vcpus": vcpus, "memory": memory, **known}.items() if v is not None}
    before = _entry_of(read(session.folder), uri)
    if before is not None and before.state == "dead":
        raise ServiceError(f"{uri} is dead, as somebody said", hint=f"stack-run hosts uncordon {uri} takes it back when it is there again")
    try:
        host: Any = session.host(uri)
        features = tuple(sorted(host.profile.features & KNOWN_FEATURES))
        cores, size = host.capacity()
    except HostError as error:
        raise ServiceError(f"{uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error
    _check(replace(Entry(uri, cores, size), **given))

    def added(now: Inventory) -> Inventory:
        there = _entry_of(now, uri) or Entry(uri, cores, size)
        return _with(now, replace(there, **{"vcpus": there.vcpus or cores, "memory": there.memory or size, "features": features, **given}))

    return change(session.folder, added).find(uri)


def _entry_of(known: Inventory, uri: str) -> Entry | None:
    return next((h for h in known.hosts if h.uri == uri), None)


def _check(entry: Entry) -> None:
    if entry.underlay:
        _address(entry.underlay)
    if wrong := sorted({*(entry.overcommit.keys() - {"vcpus", "memory"}), *(entry.limits.keys() - LIMITED)}):
        hint = f"--overcommit knows vcpus and memory; --limit knows {', '.join(sorted(LIMITED))}"
        raise ServiceError(f"there is no {wrong[0]} to limit", hint=hint, exit_code=2)


def _address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ServiceError(f"--underlay {text}: {error}", hint="the host's own address on the network that joins the hosts", exit_code=2) from error


def remove(session: Session, uri: str) -> None:
    """Take a host out of the inventory; its stacks stay where they are."""

    def removed(known: Inventory) -> Inventory:
        gone = known.find(uri)
        return replace(known, hosts=tuple(h for h in known.hosts if h is not gone))

    change(session.folder, removed)


def turn(session: Session, uri: str, state: str) -> list[str]:
    """One of STATES; the stacks that are there."""

    def turned(known: Inventory) -> Inventory:
        found = known.find(uri)
        return replace(known, hosts=tuple(replace(h, state=state) if h is found else h for h in known.hosts))

    return stacks_on(session, change(session.folder, turned).find(uri).uri)


def say_dead(folder: Path, uri: str) -> None:
    """Record that a host is dead, also one that was in no inventory."""
    change(folder, lambda known: _with(known, replace(_entry_of(known, uri) or Entry(uri, 0, 0), state="dead")))


def stacks_on(session: Session, uri: str) -> list[str]:
    """Names of the stacks that have something on a host."""
    return sorted(name for name, hosts in session.store.hosts().items() if uri in hosts)


def underlays(session: Session) -> Callable[[str], str]:
    """By URI, the address by which the others reach a host; empty where none is said."""
    found = {h.uri: h.underlay for h in read(session.folder).hosts}
    return lambda uri: found.get(uri, "")


def limits(session: Session) -> dict[str, Mapping[str, int]]:
    """By URI how many actions may run on a host at a time, where that is said; under the empty URI what counts for every other host."""
    known = read(session.folder)
    return {"": known.limits, **{h.uri: h.limits for h in known.hosts if h.limits}}


def dead(session: Session) -> frozenset[str]:
    """Hosts that somebody has said to be dead."""
    return frozenset(h.uri for h in read(session.folder).hosts if h.state == "dead")


def facts(session: Session, inventory: Inventory) -> list[HostFacts]:
    """The hosts with what the instances on them claim, which is read only where there is a choice of hosts."""
    if not inventory.hosts:
        return []
    claimed: dict[str, Counter[str]] = {}
    stacks: dict[str, set[str]] = {}
    for stack, instance in session.store.instances():
        info = session.registry.get(instance.type)
        if info is None or instance.external or info.handler.inline:
            continue
        demand = info.handler.demand(instance.properties)
        claimed.setdefault(instance.host, Counter()).update(vcpus=demand.vcpus, memory=demand.memory, servers=int(demand.vcpus > 0))
        stacks.setdefault(instance.host, set()).add(stack)
    return [
        HostFacts(
            h.uri, h.vcpus, h.memory, h.state, h.zone, frozenset(h.labels), frozenset(h.features), used["vcpus"], used["memory"],
            len(stacks.get(h.uri, ())), used["servers"], frozenset(h.groups), label_of(h.uri), underlay=h.underlay, ratios=h.ratios,
        )
        for h in inventory.hosts
        for used in (claimed.get(h.uri, Counter()),)
    ]  # fmt: skip


def needs_of(info: ResourceTypeInfo, properties: Mapping[str, Any]) -> set[str]:
    """Features that a host must have for a resource of the type with these properties."""
    of_type = {str(info.schema["needs"])} if "needs" in info.schema else set()
    used = {str(s["needs"]) for n, s in info.properties.items() if "needs" in s and properties.get(n) not in (None, False, [], "bios")}
    return (of_type | used) & KNOWN_FEATURES
