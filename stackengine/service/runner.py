"""Handlers run in daemon threads: libvirt-python releases the GIL, and a call that never returns must not keep the process from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from stackengine.engine.ports import Result
from stackengine.service.slots import Slots


class ThreadRunner:
    """``engine.ports.Runner`` on threads that are made as they are needed and reused."""

    def __init__(self, total: int = 64, slots: Slots | None = None) -> None:
        self._total, self._slots = total, slots or Slots({}, None)
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[tuple[str, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads = 0

    def can_run(self, host: str, kind: str) -> bool:
        """Whether there is room."""
        return self._slots.busy < self._total and self._slots.room(host, kind)

    def reserve(self, key: str, host: str, kind: str) -> None:
        """Take a slot."""
        self._slots.take(key, host, kind)

    def submit(self, key: str, host: str, kind: str, work: Callable[[], Any]) -> None:
        """Start ``work``."""
        del host, kind  # its slot is taken already
        with self._lock:
            spare = self._idle > self._work.qsize()
            if not spare:
                self._threads += 1
        if not spare:
            threading.Thread(target=self._loop, name=f"action-{self._threads}", daemon=True).start()
        self._work.put((key, work))

    def _loop(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            item = self._work.get()
            with self._lock:
                self._idle -= 1
            if item is None:
                return
            key, work = item
            try:
                result = Result(key, work())
            except BaseException as error:  # handed on as the action's failure, whatever it is
                result = Result(key, error=error)
            self._results.put(result)

    def free(self, key: str) -> None:
        """Give back a slot."""
        self._slots.free(key)

    def deliver(self, result: Result) -> None:
        """Hand in a result."""
        self._results.put(result)

    def wait(self, timeout: float | None) -> list[Result]:
        """What has ended."""
        try:
            found = [self._results.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._results.empty():
            found.append(self._results.get())
        for result in found:
            self._slots.free(result.key)
        return found

    def close(self) -> None:
        """Let idle threads end; one that is stuck in a call ends with the process."""
        for _ in range(self._threads):
            self._work.put(None)
        self._slots.close()
