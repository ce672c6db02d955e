"""How many actions run on one host at a time, by kind: in this process, and for what strains a host among all processes of this machine.

Slots are file locks (``locks``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from stackengine import locks

LIMITS = {"call": 8, "image-copy": 2, "guest-start": max(2, os.cpu_count() or 2), "total": 16}
"""Actions at once per host, by kind; guest starts are few, as a boot storm breaks guests. ``total``: of all kinds."""
SHARED = frozenset(("guest-start", "image-copy"))
"""Kinds that count across processes."""


class Slots:
    """The slots of one walk. ``limits``: by host (``""``: every host), what differs from LIMITS; ``folder``: where the locks are, None: no others count."""

    def __init__(self, limits: Mapping[str, Mapping[str, int]], folder: Path | None) -> None:
        self._limits, self._folder = limits, folder
        self._running: dict[str, tuple[str, str]] = {}
        self._locks: dict[str, int] = {}
        self._spare: dict[tuple[str, str], int] = {}

    def limit(self, host: str, kind: str) -> int:
        """How many of a kind may run on a host at a time."""
        usual = LIMITS.get(kind, LIMITS["call"])
        return self._limits.get(host, {}).get(kind, self._limits.get("", {}).get(kind, usual))

    @property
    def busy(self) -> int:
        """How many run anywhere."""
        return len(self._running)

    def room(self, host: str, kind: str) -> bool:
        """Whether there is a slot; of a shared kind it is held for the next :meth:`take`."""
        here = [k for h, k in self._running.values() if h == host]
        if len(here) >= self.limit(host, "total") or here.count(kind) >= self.limit(host, kind):
            return False
        if kind not in SHARED or self._folder is None or (host, kind) in self._spare:
            return True
        found = self._lock(self._folder, host, kind)
        if found is None:
            return False
        self._spare[host, kind] = found
        return True

    def _lock(self, folder: Path, host: str, kind: str) -> int | None:
        name = hashlib.sha256(f"{host}/{kind}".encode()).hexdigest()[:20]
        tried = (locks.take(folder / f"slot-{name}-{number}.lock") for number in range(self.limit(host, kind)))
        return next((lock for lock in tried if lock is not None), None)

    def take(self, key: str, host: str, kind: str) -> None:
        """Take the slot that :meth:`room` found."""
        self._running[key] = (host, kind)
        lock = self._spare.pop((host, kind), None)
        if lock is not None:
            self._locks[key] = lock

    def free(self, key: str) -> None:
        """Give it back."""
        self._running.pop(key, None)
        lock = self._locks.pop(key, None)
        if lock is not None:
            os.close(lock)

    def close(self) -> None:
        """Give back everything, also what was held for somebody who then did not come."""
        while self._spare:
            os.close(self._spare.popitem()[1])
        for key in list(self._running):
            self.free(key)
