"""Guests that are frozen, memory and disks, in a folder: what a cut or a snapshot knows of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FrozenDisk:
    """A disk of a guest that is frozen."""

    target: str
    name: str
    """Of the file, in the host's folder of volumes and in the one where it is frozen."""
    size: int
    """Bytes that the guest sees."""


@dataclass(frozen=True, slots=True)
class FrozenGuest:
    """A guest that is frozen."""

    uuid: str
    xml: str
    """Its definition (inactive)."""
    memory: str
    """The file of its memory in the folder; empty: it did not run."""
    disks: tuple[FrozenDisk, ...]


def to_data(guest: FrozenGuest) -> dict[str, Any]:
    """As JSON."""
    return asdict(guest)


def from_data(data: dict[str, Any]) -> FrozenGuest:
    """From JSON."""
    return FrozenGuest(data["uuid"], data["xml"], data["memory"], tuple(FrozenDisk(**d) for d in data["disks"]))
