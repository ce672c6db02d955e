"""One at a time on this machine: among the threads of a process and among processes, by a file lock that the kernel drops with its owner."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_EVERY = 0.1
"""Seconds between two tries."""


@contextmanager
def alone(folder: Path, name: str, check: Callable[[], None], sleep: Callable[[float], None]) -> Iterator[None]:
    """Wait until nobody else is inside with this name; ``check`` is called meanwhile, and may raise."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"content-{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock").open("w") as lock:
        while True:
            check()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                sleep(LOOK_EVERY)
        yield
