"""Hosts and servers as placement sees them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HostFacts:
    """A host of the inventory: what it has, and what of it is claimed. Memory in MiB."""

    uri: str
    vcpus: int
    memory: int
    state: str = "ready"
    """``ready``, ``cordoned`` (nothing new) or ``draining`` (nothing new, and what is there is to go)."""
    zone: str = ""
    labels: frozenset[str] = frozenset()
    """``name=value``."""
    features: frozenset[str] = frozenset()
    used_vcpus: int = 0
    used_memory: int = 0
    stacks: int = 0


@dataclass(frozen=True, slots=True)
class Ratios:
    """How much more than a host has may be given out."""

    vcpus: float = 16.0
    memory: float = 1.0


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

    @property
    def shape(self) -> tuple[object, ...]:
        """What filters and weighers look at: servers of one shape are equal to them."""
        return self.vcpus, self.memory, self.zone, self.labels, self.features, self.apart


@dataclass(slots=True)
class Candidate:
    """A host while a plan is placed: what is left of it grows less."""

    facts: HostFacts
    ratios: Ratios
    vcpus_left: float = 0.0
    memory_left: float = 0.0
    groups: set[str] = field(default_factory=set)
    """Groups of the plan (``Wanted.apart``) that have a member here."""
    version: int = 0
    """Grows with everything that is placed here."""

    def __post_init__(self) -> None:
        self.vcpus_left = self.facts.vcpus * self.ratios.vcpus - self.facts.used_vcpus
        self.memory_left = self.facts.memory * self.ratios.memory - self.facts.used_memory

    def take(self, wanted: Wanted) -> None:
        """Place it here."""
        self.vcpus_left -= wanted.vcpus
        self.memory_left -= wanted.memory
        if wanted.apart:
            self.groups.add(wanted.apart)
        self.version += 1
