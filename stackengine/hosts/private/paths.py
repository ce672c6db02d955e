"""Where a private host keeps what: definitions and disks in the state folder, sockets in a short runtime folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one private host."""

    name: str
    folder: Path
    runtime: Path
    layers: Path
    cache: Path

    @property
    def libvirt_socket(self) -> Path:
        """libvirtd's socket, seen from outside."""
        return self.runtime / "run" / "libvirt" / "libvirt-sock"

    @property
    def broker(self) -> Path:
        """The socket on which process 1 hands out sockets."""
        return self.runtime / "broker"


def paths_of(name: str, state_dir: Path) -> Paths:
    """The folders of host ``name``. Unix socket paths must stay below 108 bytes, so the runtime folder is short, named by a hash."""
    state_dir = state_dir.absolute()
    short = hashlib.sha256(f"{state_dir}\0{name}".encode()).hexdigest()[:12]
    base = os.environ.get("XDG_RUNTIME_DIR", "") if os.getuid() else "/run"
    root = Path(base) / "stackengine" if base and Path(base).is_dir() else Path(f"/tmp/stackengine-{os.getuid()}")
    return Paths(name, state_dir / "hosts" / name, root / short, state_dir / "layers", state_dir / "hosts" / ".cache")
