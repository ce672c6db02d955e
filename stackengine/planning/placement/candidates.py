"""Hosts and servers as placement sees them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ratios:
    """How much more than a host has may be given out."""

    vcpus: float = 16.0
    memory: float = 1.0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """A host of the inventory: what it has, and what of it is claimed. Memory in MiB."""

    uri: str
    vcpus: int
    memory: int
    state: str = "ready"
    """``ready``, ``cordoned`` (nothing new), ``draining`` (nothing new, and what is there is to go) or ``dead``."""
    zone: str = ""
    labels: frozenset[str] = frozenset()
    """``name=value``."""
    features: frozenset[str] = frozenset()
    used_vcpus: int = 0
    used_memory: int = 0
    stacks: int = 0
    servers: int = 0
    groups: frozenset[str] = frozenset()
    """Host groups that it belongs to."""
    name: str = ""
    """Its short name."""
    members: frozenset[tuple[str, str]] = frozenset()
    """(group, path) of servers that are there already and stay."""
    underlay: str = ""
    """The address by which other hosts reach it."""
    ratios: Ratios | None = None
    """Its own, in place of the inventory's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server (or a whole stack) that wants a place."""

    path: str
    vcpus: int
    memory: int
    zone: str = ""
    labels: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    apart: str = ""
    """A group whose members share no host."""
    together: str = ""
    """A group whose members share one host."""
    host: str = ""
    """The host that was asked for, by URI or short name."""
    host_group: str = ""
    at_most: int = 1
    """How many of ``apart`` may share a host."""
    likes: frozenset[str] = frozenset()
    """Groups whose members it would rather be with."""
    dislikes: frozenset[str] = frozenset()
    """Groups whose members it would rather not be with."""
    avoids: frozenset[str] = frozenset()
    """Hosts that it must not be on."""
    pairs: frozenset[str] = frozenset()
    """More groups whose members share no host: one for each two that are to be apart."""
    near: str = ""
    """A host that is taken where it can be: the stack's own."""

    @property
    def groups(self) -> frozenset[str]:
        """Every group that it is in."""
        return frozenset(g for g in (self.apart, self.together) if g) | self.likes | self.dislikes | self.pairs

    @property
    def shape(self) -> tuple[object, ...]:
        """What filters and weighers look at: servers of one shape are equal to them."""
        place = self.zone, self.labels, self.features, self.host, self.host_group, self.avoids, self.near, self.pairs
        return self.vcpus, self.memory, self.apart, self.at_most, self.likes, self.dislikes, *place


@dataclass(slots=True)
class Candidate:
    """A host while a plan is placed: what is left of it grows less."""

    facts: HostFacts
    ratios: Ratios
    vcpus_left: float = 0.0
    memory_left: float = 0.0
    groups: Counter[str] = field(default_factory=Counter)
    """How many members of each group are here."""
    version: int = 0
    """Grows with everything that is placed here."""

    def __post_init__(self) -> None:
        self.ratios = self.facts.ratios or self.ratios
        self.groups.update(group for group, _ in self.facts.members)
        self.vcpus_left = self.facts.vcpus * self.ratios.vcpus - self.facts.used_vcpus
        self.memory_left = self.facts.memory * self.ratios.memory - self.facts.used_memory

    def take(self, wanted: Wanted) -> None:
        """Place it here."""
        self.vcpus_left -= wanted.vcpus
        self.memory_left -= wanted.memory
        self.groups.update(wanted.groups)
        self.version += 1
