"""Seeded hands: handlers run one at a time, and hand over to each other at host calls; gates come when chance says so; no clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from histories.chance import Chance
from stackengine.engine.ports import Result
from stackengine.sdk import FailedError
from stackengine.service.hands import Hands

PATIENCE = 60
"""Seconds after which a baton that nobody gives back is a fault of the tests."""


class Strand:
    """A handler at work in a thread of its own, which runs only while it has the baton."""

    def __init__(self, key: str, work: Callable[[], Any], crew: Crew) -> None:
        self.key, self._work, self._crew = key, work, crew
        self.outcome: Result | BaseException | None = None
        self._mine = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._dead = False
        self._thread: threading.Thread | None = None

    def go_on(self) -> None:
        """Give it the baton until it hands over or ends."""
        self._crew.current = self
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.key, daemon=True)
            self._thread.start()
        else:
            self._mine.release()
        assert self._back.acquire(timeout=PATIENCE), f"{self.key} keeps the baton"
        self._crew.current = None

    def _run(self) -> None:
        try:
            self.outcome = Result(self.key, self._work())
        except Exception as error:
            self.outcome = Result(self.key, error=error)
        except BaseException as error:
            self.outcome = error
        self._back.release()

    def hand_over(self) -> None:
        """Called by the handler's thread: let others go on."""
        self._back.release()
        self._mine.acquire()
        if self._dead:
            raise SystemExit

    def end(self) -> None:
        """The process is gone, and this with it."""
        if self._thread is not None and self.outcome is None:
            self._dead = True
            self._mine.release()
            assert self._back.acquire(timeout=PATIENCE)


class Crew:
    """Runner, gates and signals of all walks of a world, in one."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.current: Strand | None = None
        self.strands: list[Strand] = []
        self.gates: dict[str, Callable[[Result], None]] = {}
        self.reserved: set[str] = set()
        self._delivered: list[Result] = []
        self.turn: Callable[[], None] = lambda: None
        """Called at every turn of a walk (somebody may ask to cancel)."""
        self.limit = 64

    # places, told by hosts

    def point(self, side: str, call: str, me: str) -> None:
        """A side of a host call."""
        self.chance.place(f"{side} {call} {me}", host=True)
        if self.current is not None and len(self.strands) + len(self.gates) > 1 and self.chance.hit(self.chance.odds.switch):
            self.current.hand_over()

    # runner

    def can_run(self, host: str, kind: str) -> bool:
        return len(self.strands) + len(self.reserved) < self.limit

    def reserve(self, key: str, host: str, kind: str) -> None:
        self.reserved.add(key)

    def submit(self, key: str, host: str, kind: str, work: Callable[[], Any]) -> None:
        self.reserved.discard(key)
        self.strands.append(Strand(key, work, self))

    def free(self, key: str) -> None:
        self.reserved.discard(key)

    def deliver(self, result: Result) -> None:
        self._delivered.append(result)

    def wait(self, timeout: float | None) -> list[Result]:
        self.turn()
        found: list[Result] = []
        while not found:
            found, self._delivered = self._delivered, []
            choices: list[Any] = [*self.strands, *self.gates]
            if not choices:
                return found
            if found and not self.chance.hit(0.5):
                break
            chosen = self.chance.random.choice(choices)
            if isinstance(chosen, str):
                failed = self.chance.hit(self.chance.odds.gate) or (self.chance.when is not None and self.chance.when(f"gate {chosen}") == "fail")
                self.chance.failures += failed
                found.append(Result(chosen, error=FailedError("the gate did not come (refused on purpose)")) if failed else Result(chosen, {"received": []}))
                del self.gates[chosen]
                continue
            chosen.go_on()
            if chosen.outcome is not None:
                self.strands.remove(chosen)
                if isinstance(chosen.outcome, BaseException):
                    raise chosen.outcome
                found.append(chosen.outcome)
        return found

    # gates

    def watch(self, key: str, gate: Any, host: Any, deliver: Callable[[Result], None]) -> None:
        self.gates[key] = deliver

    def drop(self, key: str) -> None:
        self.gates.pop(key, None)

    def close(self) -> None:
        strands, self.strands = self.strands, []
        self.gates.clear()
        self.reserved.clear()
        self._delivered.clear()
        quiet, self.chance.quiet = self.chance.quiet, True
        for strand in strands:
            strand.end()
        self.chance.quiet = quiet


class SeededHands(Hands):
    """The crew as a session's hands."""

    def __init__(self, crew: Crew, begun: Callable[[Any], None]) -> None:
        self._crew, self._begun, self._now = crew, begun, 0.0

    def monotonic(self) -> float:
        self._now += 0.001
        return self._now

    def runner(self, slots: Any) -> Any:
        return self._crew

    def gates(self) -> Any:
        return self._crew

    @contextmanager
    def signals(self, host: Any, plan: Any, recorded: Any, deliver: Any, others: Any = ()) -> Any:
        self._begun(plan)
        yield self
