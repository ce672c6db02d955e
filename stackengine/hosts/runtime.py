"""Folders for sockets and locks of processes that outlive a command, and files that are seen whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stackengine import locks
from stackengine.sdk import HostError


def runtime_folder(folder: Path) -> Path:
    """The runtime folder that goes with a state folder: named by a hash, as paths of Unix sockets must stay below 108 bytes."""
    uid = os.getuid()
    base = (os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}") if uid else "/run"  # cron says nothing, and must find the hosts of a session
    root = Path(base) / "stackengine" if base and len(base) < 60 and os.access(base, os.W_OK) else Path(f"/tmp/stackengine-{uid}")
    return root / hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def make_runtime_folder(runtime: Path) -> None:
    """Make a runtime folder that nobody else can enter or plant; HostError when somebody did."""
    for folder in (runtime.parent, runtime):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_ours(runtime)


def is_ours(runtime: Path) -> bool:
    """Whether the runtime folder is there; HostError when somebody else planted it, so that no socket in it is believed."""
    for folder in (runtime.parent, runtime):
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise HostError(f"{folder} belongs to somebody else, or others may write to it", hint="remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time for this state folder. The lock stands beside the folder, so that it outlives a removal."""
    with locks.alone(folder.parent / ".locks" / folder.name):
        yield


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file that others see whole or not at all, whoever else writes it at the same time: the last one's stays."""
    part = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
