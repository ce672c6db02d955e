"""Locks of this machine: a file that one holds at a time, among threads and among processes.

They are those of flock(2): a lock belongs to the open file, and the kernel drops it with its holder, so that nobody cleans up after one that died.
What is in the file says nothing, and it stays where it is. (Whether a *process* lives is told by the locks in ``hosts.processes``, which can be
asked without being taken.)
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_EVERY = 0.1
"""Seconds between two tries of one that may be called off while it waits."""


def take(file: Path) -> int | None:
    """Take the lock without waiting: the descriptor that holds it until it is closed; None when somebody has it."""
    descriptor = _opened(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def alone(file: Path, check: Callable[[], None] | None = None, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Wait for the lock and hold it. ``check`` is called before each try and may raise: then nobody waits any more."""
    descriptor = _opened(file) if check is None else _tried(file, check, sleep)
    try:
        if check is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def named(folder: Path, name: str) -> Path:
    """The file of a lock whose name may be any text."""
    return folder / f"content-{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"


def _opened(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _tried(file: Path, check: Callable[[], None], sleep: Callable[[float], None]) -> int:
    while True:
        check()
        found = take(file)
        if found is not None:
            return found
        sleep(LOOK_EVERY)
