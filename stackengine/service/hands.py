"""What carries a plan out: the runner of handlers, the watcher of gates, the ear for signals, the clock. A session brings one; tests bring seeded ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from stackengine.engine.ports import Gates, Result, Runner
from stackengine.model.instance import Recorded
from stackengine.planning.plan import Plan
from stackengine.sdk import Host
from stackengine.service.slots import Slots


class ClosableRunner(Runner, Protocol):
    """A runner that is told when the operation is over."""

    def close(self) -> None:
        """Start nothing more."""


class ClosableGates(Gates, Protocol):
    """A watcher that is told when the operation is over."""

    def close(self) -> None:
        """Watch nothing more."""


class Hands:
    """The real ones: threads, polled gates, the signal listener, the system's monotonic clock."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def runner(self, slots: Slots) -> ClosableRunner:
        """A runner for one walk."""
        from stackengine.service.runner import ThreadRunner

        return ThreadRunner(slots=slots)

    def gates(self) -> ClosableGates:
        """A watcher of gates for one walk."""
        from stackengine.hosts.gates import GateWatcher

        return GateWatcher()

    def signals(
        self, host: Host, plan: Plan, recorded: Recorded, deliver: Callable[[Result], None], others: Sequence[Host] = ()
    ) -> AbstractContextManager[Any]:  # fmt: skip
        """Listens for signals while it is entered, on the stack's own host and ``others``."""
        from stackengine.service.signals import SignalHub

        return SignalHub(host, plan, recorded, deliver, others)
