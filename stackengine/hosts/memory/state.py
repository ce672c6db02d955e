"""The state file of a memory host: one JSON document under a file lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stackengine import locks
from stackengine.sdk import HostError, NotFoundError

EMPTY: dict[str, Any] = {
    "memory_kib": 64 << 20,
    "domains": {},
    "networks": {},
    "pools": {
        "default": {"capacity": 1 << 40, "volumes": {}},
        "se-layers": {"capacity": 1 << 40, "volumes": {}},
    },
    "filters": {},
    "signals": [],
    "ports": {},
    "forwarding": {},
    "metadata": {},
    "calls": 0,
}


class StateFile:
    """Loads and saves the state; changes of other processes are seen by the file's identity and time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._state: dict[str, Any] = json.loads(json.dumps(EMPTY))
        self._seen: tuple[int, int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[dict[str, Any]]:
        """The state, not to be changed."""
        with self._lock:
            if self._path is not None:
                self._refresh()
            yield self._state

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """The state; what was changed is saved, also by a call that fails after half of its work."""
        with self._lock:
            if self._path is None:
                yield self._state
                return
            with locks.alone(self._path.with_suffix(".lock")):
                self._refresh()
                try:
                    yield self._state
                finally:
                    self._save()

    def _stamp(self) -> tuple[int, int, int] | None:
        assert self._path is not None
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _refresh(self) -> None:
        assert self._path is not None
        stamp = self._stamp()
        if stamp != self._seen or stamp is None:
            text = self._path.read_text("utf-8") if stamp is not None else json.dumps(EMPTY)
            try:
                self._state = json.loads(text)
            except ValueError as error:
                hint = "it is the state of a simulated host: move it away to begin with an empty one"
                raise HostError(f"{self._path} cannot be read: {error}", hint=hint) from error
            self._seen = stamp

    def _save(self) -> None:
        assert self._path is not None
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._state, separators=(",", ":")), "utf-8")
        temporary.replace(self._path)
        self._seen = self._stamp()


def domain_in(state: dict[str, Any], uuid: str) -> dict[str, Any]:
    """The domain of a state; NotFoundError (42) when it is not there."""
    known: dict[str, Any] | None = state["domains"].get(uuid)
    if known is None:
        raise NotFoundError(f"Domain not found: no domain with matching uuid '{uuid}'", code=42)
    return known
