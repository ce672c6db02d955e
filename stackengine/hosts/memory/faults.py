"""Faults on purpose: calls that fail, answer late, or end the process, by call name or number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stackengine.sdk import RefusedError, TransientError, UnreachableError


class Crash(BaseException):
    """The process ends here (tests catch it; nothing else does)."""


@dataclass(slots=True)
class Faults:
    """What goes wrong when. ``before`` and ``after`` are called with (call name, number of the call) around every host call."""

    fail: dict[str, int] = field(default_factory=dict)
    """call name -> which of its calls fails (1: the first); 0: all of them."""
    transient: dict[str, int] = field(default_factory=dict)
    """call name -> how many of its first calls fail in a way that may pass."""
    unreachable: bool = False
    before: Callable[[str, int], None] | None = None
    after: Callable[[str, int], None] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def enter(self, call: str, host: str) -> None:
        """Before a call."""
        self.total += 1
        count = self.counts[call] = self.counts.get(call, 0) + 1
        if self.before is not None:
            self.before(call, self.total)
        if self.unreachable:
            raise UnreachableError("the host does not answer (fault on purpose)", code=38, host=host, call=call)
        if self.fail.get(call) in (0, count):
            raise RefusedError("refused (fault on purpose)", code=1, host=host, call=call)
        if count <= self.transient.get(call, 0):
            raise TransientError("timed out (fault on purpose)", code=68, host=host, call=call)

    def leave(self, call: str) -> None:
        """After a call that worked."""
        if self.after is not None:
            self.after(call, self.total)


def from_query(query: str) -> Faults:
    """``fail=domain_start:2&transient=network_start:1``."""
    faults = Faults()
    for part in query.split("&"):
        kind, _, rest = part.partition("=")
        name, _, number = rest.partition(":")
        if kind in ("fail", "transient") and name:
            (faults.fail if kind == "fail" else faults.transient)[name] = int(number or 1)
    return faults
