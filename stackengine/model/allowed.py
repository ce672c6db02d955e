"""What the owner of this machine lets templates do on it: read paths, run commands, call out. Nothing by default.

People run templates of pull requests, so a template, an environment file or a project file can never widen this; the service reads it
from a place outside any checkout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any


@dataclass(frozen=True, slots=True)
class Allowed:
    """Each field lists what is allowed; empty means nothing."""

    files: tuple[str, ...] = ()
    """Absolute folders (or files) that may be read besides the template's own folder: images, get_file, includes, backing files."""
    commands: tuple[str, ...] = ()
    """Absolute paths of programs that custom resources may run on this machine."""
    python: tuple[str, ...] = ()
    """Entry points (``module:function``) that macros, functions and custom resources may call."""
    urls: tuple[str, ...] = ()
    """Prefixes of URLs that may be fetched or called: remote imports, custom resources."""
    devices: tuple[str, ...] = ()
    """Devices (PCI addresses such as ``0000:03:00.0``) and shared folders (absolute) of this machine that guests may get."""
    hosts: tuple[str, ...] = ()
    """URIs of libvirt hosts that the project file of a checkout may name (a URI can name a program to connect through)."""

    def may_read(self, path: str) -> bool:
        """Whether an absolute, normalised path lies in an allowed place."""
        return any(PurePosixPath(path).is_relative_to(place) for place in self.files)

    def may_give(self, what: str) -> bool:
        """Whether a guest may get a folder of this machine (an allowed one, or below it), or a device (named just so)."""
        if what.startswith("/"):
            path = PurePosixPath(what)
            return ".." not in path.parts and any(path.is_relative_to(place) for place in self.devices if place.startswith("/"))
        return what.lower() in (d.lower() for d in self.devices)

    def may_run(self, program: str) -> bool:
        """Whether a program may be run."""
        return program in self.commands

    def may_import(self, entry_point: str) -> bool:
        """Whether ``module:function`` may be called."""
        return entry_point in self.python

    def may_call(self, url: str) -> bool:
        """Whether a URL starts with an allowed prefix, which ends at a slash so that ``https://a.example`` allows no ``https://a.example.evil``."""
        return any(url == prefix or url.startswith(prefix if prefix.endswith("/") else prefix + "/") for prefix in self.urls)


NOTHING = Allowed()
"""Nothing is allowed."""


@dataclass(frozen=True, slots=True)
class Room:
    """What an environment takes, or a quota allows (None: as much as there is)."""

    environments: int | None = None
    vcpus: int | None = None
    memory: int | None = None
    """MiB"""
    disk: int | None = None
    """GiB"""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the machine's owner allows (``quotas`` in ``owner.yaml``)."""

    host: Room = Room()
    """All environments of this machine together."""
    repository: Room = Room()
    """Those of one repository."""
    owner: Room = Room()
    """Those of one person."""

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return any(getattr(getattr(self, s.name), r.name) is not None for s in fields(Quotas) for r in fields(Room))


@dataclass(frozen=True, slots=True)
class Pools:
    """What names and addresses are chosen from where a template leaves them open (``pools`` in ``owner.yaml``)."""

    subnets: tuple[str, ...] = ()
    """Ranges in CIDR notation, of both families; of a family that has none here, the private ones that the engine takes by itself."""
    macs: str = "52:54:00"
    """How MACs begin: three to five bytes; the standard is QEMU's."""
    bridges: str = "se"
    """How names of bridges begin."""
    ports: tuple[int, int] = (20_000, 29_999)
    """The first and the last port of this machine that may be published."""

    zone: str = ""
    """The DNS zone of published names; empty: there are none."""
    addresses: str = "127.64.0.0/12"
    """The loopback addresses of published names."""

    def ranges(self, version: int) -> tuple[str, ...]:
        """The ranges of IP version 4 or 6."""
        return tuple(s for s in self.subnets if (":" in s) == (version == 6))


SCOPES = tuple(f.name for f in fields(Quotas))
KINDS = tuple(f.name for f in fields(Room))


def quotas_of(data: Iterable[dict[str, Any]]) -> Quotas:
    """Quotas of several files: the least of each counts."""
    found: dict[str, dict[str, int]] = {s: {} for s in SCOPES}
    for scope, kind, limit in ((s, k, v) for d in data for s, room in d.items() for k, v in room.items()):
        found[scope][kind] = min(limit, found[scope].get(kind, limit))
    return Quotas(**{s: Room(**room) for s, room in found.items()})
