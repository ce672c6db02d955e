"""Instances: the physical objects that the log says exist, or may exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from stackengine.model.template import Policies
from stackengine.model.values import Value

Status = Literal["creating", "updating", "moving", "deleting", "configured", "ready", "failed", "stopped", "released"]
PowerState = Literal["running", "stopped", "saved", "unknown"]


ORIGIN = "origin"
"""The piece of an instance that moves: where it comes from, until it has arrived."""
MACHINE = ""
"""The host of a claim on what the engine's own machine has, whichever host its guests run on: a published port."""


class Claim(NamedTuple):
    """Something that only one may have on a host: (host, kind, value), unique in the store.

    Kinds: ``cidr``, ``address``, ``mac``, ``bridge``, ``uuid``, ``name``; of this machine ``port``, ``loopback`` (an address), ``dns``;
    capacity is not a claim but a sum.
    """

    host: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One object on one host; a server has one, an image that stands on three hosts has three."""

    piece: str
    host: str
    physical_id: str
    status: Status = "creating"


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a disk chain; the top one's path is an attribute, never an identity."""

    id: str
    host: str
    pool: str
    name: str
    parent: str | None = None
    owner: str | None = None
    """Instance id, or None for a host-owned layer."""
    status: Literal["making", "whole", "frozen"] = "making"


@dataclass(frozen=True, slots=True)
class DiskCopy:
    """What the disks of an instance held before an action grew them or wrote over them; it goes when an operation has ended well."""

    id: str
    """A number, as text: unique among the copies of its instance."""
    disks: tuple[tuple[str, str, str], ...]
    """(pool, volume, volume with the copy); a volume that did not exist has no copy."""
    properties: dict[str, Value] = field(default_factory=dict)
    """As they were applied when it was taken."""
    attributes: dict[str, Value] = field(default_factory=dict)
    status: Literal["making", "whole", "restoring", "dropping"] = "making"
    """``restoring``: bringing it back was begun, and has to be finished whatever comes. ``dropping``: its end was begun, and it may be gone."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One physical object of a stack.

    ``identity`` is what was chosen before the host was touched (physical_id, uuid, name, mac, address, …) and never changes;
    ``properties`` are as applied (fully resolved, secrets as SecretRef); ``attributes`` are what the host told afterwards;
    ``refs`` are the instance ids it was applied with; ``holds`` ⊇ refs while it is not sure.
    """

    path: str
    generation: int
    type: str
    identity: dict[str, Any]
    properties: dict[str, Value]
    refs: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    attributes: dict[str, Value] = field(default_factory=dict)
    contributed: dict[str, Value] = field(default_factory=dict)
    """What other resources contributed (a network's reservations), as applied."""
    exclusive: frozenset[str] = frozenset()
    """Things that two running objects cannot both have (a MAC, a single-writer volume)."""
    occupied: frozenset[str] = frozenset()
    """Exclusive things that it may have: as ``holds`` is to ``refs``, more than ``exclusive`` while it is not sure."""
    fixed: frozenset[str] = frozenset()
    """Things that two objects cannot both have, even stopped (a bridge name, a subnet that the user fixed)."""
    host: str = ""
    pieces: tuple[Piece, ...] = ()
    copies: tuple[DiskCopy, ...] = ()
    """Of its disks, as they were before an operation that has not ended well yet changed them; oldest first."""
    claims: tuple[Claim, ...] = ()
    policies: Policies = Policies()
    sure: bool = False
    lived: bool = False
    """It was whole at some time: somebody may have used it."""
    status: Status = "creating"
    power: PowerState = "running"
    schema_version: int = 1
    protected: bool = False
    external: bool = False
    """It is not the stack's: it is read and used, never changed or deleted; ``identity`` and ``properties`` are as found."""

    @property
    def id(self) -> str:
        """``path@generation``: unique in the stack for ever."""
        return f"{self.path}@{self.generation}"

    @property
    def physical_id(self) -> str:
        """The id by which a reference names it."""
        return str(self.identity["physical_id"])

    @property
    def origin(self) -> str:
        """The host that it is on its way from; empty when it is not on its way."""
        return next((p.host for p in self.pieces if p.piece == ORIGIN), "")

    def on(self, host: str, *, origin: str = "") -> Instance:
        """It on another host, with what it claims there; ``origin``: while it is not known to have arrived, the host that may have it still."""
        pieces = (Piece("0", host, self.physical_id), *((Piece(ORIGIN, origin, self.physical_id),) if origin else ()))
        claims = tuple(c._replace(host=host) if c.host == self.host else c for c in self.claims)
        return self.but(host=host, pieces=pieces, claims=claims)

    def but(self, **changes: Any) -> Instance:
        """The instance with other values: ``dataclasses.replace``, at a third of its cost, as every step of every action makes one."""
        values = list(_values(self))
        for name, value in changes.items():
            values[_POSITIONS[name]] = value
        return Instance(*values)


_NAMES = tuple(f.name for f in fields(Instance))
_POSITIONS = {name: position for position, name in enumerate(_NAMES)}
_values = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded state of one stack: a fold over its event log."""

    instances: dict[str, Instance] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    """Highest generation ever given, by path."""
    observed: dict[str, dict[str, Value] | None] = field(default_factory=dict)
    """By instance id: what reading it last showed (None: it is gone). Absent: not read since it was applied."""
    signals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By handle (physical id): the signals received, in order, one per unique id."""
    layers: dict[str, Layer] = field(default_factory=dict)

    def of(self, path: str) -> Iterator[Instance]:
        """The instances of one path. It looks at all: for many paths take :meth:`by_path`."""
        return (i for i in self.instances.values() if i.path == path)

    def by_path(self) -> dict[str, list[Instance]]:
        """The instances of every path that has some."""
        found: dict[str, list[Instance]] = {}
        for instance in self.instances.values():
            found.setdefault(instance.path, []).append(instance)
        return found


@dataclass(frozen=True, slots=True)
class HostObject:
    """An object that no stack owns (an image's base, a cut, a pool), held by stacks."""

    id: str
    host: str
    kind: str
    name: str
    details: dict[str, Any] = field(default_factory=dict)
    status: Literal["making", "whole"] = "making"
    holders: frozenset[str] = frozenset()
