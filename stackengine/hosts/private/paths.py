"""Where a private host keeps what: definitions and disks in the state folder, sockets in a short runtime folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from stackengine.hosts.runtime import runtime_folder

SETTINGS = "host.json"
"""Where it is said that a folder is that of a host."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one private host; all are the same path inside and outside of its namespaces."""

    name: str
    folder: Path
    """Settings, definitions, logs, disks: kept over a stop and a reboot."""
    runtime: Path
    """Sockets and process ids: empty when the host does not run."""
    layers: Path
    """Base layers, shared by all private hosts of the user."""
    cache: Path
    """libvirt's cache of what QEMU can do, shared likewise: probing anew costs each start about 3 s."""

    @property
    def libvirt_socket(self) -> Path:
        """libvirtd's socket, seen from outside."""
        return self.runtime / "run" / "libvirt" / "libvirt-sock"

    @property
    def libvirt_uri(self) -> str:
        """The URI for libvirt clients of this machine."""
        return f"qemu+unix:///system?socket={self.libvirt_socket}"

    @property
    def broker(self) -> Path:
        """The socket on which process 1 hands out sockets."""
        return self.runtime / "broker"

    @property
    def lock(self) -> Path:
        """Held by process 1 while it lives; its process id, seen from outside, stands in it."""
        return self.runtime / "init.lock"

    @property
    def prepared(self) -> Path:
        """Exists when the running host has all that every host has (its pools)."""
        return self.runtime / "prepared"

    @property
    def settings(self) -> Path:
        """What is remembered of the host; it exists from the first start until the host is removed."""
        return self.folder / SETTINGS


def paths_of(name: str, state_dir: Path) -> Paths:
    """The folders of host ``name``."""
    state_dir = state_dir.resolve()  # by whatever path somebody comes: one folder is one host, with one libvirtd
    hosts = state_dir / "hosts"
    return Paths(name, hosts / name, runtime_folder(hosts / _started_as(hosts / name)), state_dir / "layers", hosts / ".cache")


def _started_as(folder: Path) -> str:
    """The name under which a host was started: its own, but for one that was kept ready for whoever needs it (:mod:`.ready`)."""
    try:
        return str(json.loads((folder / SETTINGS).read_text()).get("started_as", folder.name))
    except (FileNotFoundError, ValueError):
        return folder.name
