"""Ends a handler before and after every host call that it makes, and runs it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.memory.faults import Crash
from stackengine.sdk import UnsupportedError
from stackengine.testing.bench import Bench
from stackengine.testing.inventory import differences, inventory


class _Fuse:
    """Raises Crash at one place of a row of host calls."""

    def __init__(self, host: MemoryHost, at: int, side: str) -> None:
        self._faults, self._at, self._seen = host.faults, at, 0
        self._side = side

    def __enter__(self) -> _Fuse:
        setattr(self._faults, self._side, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(self._faults, self._side, None)

    def _look(self, call: str, _number: int) -> None:
        self._seen += 1
        if self._seen == self._at:
            raise Crash(f"{self._side} {call} ({self._at})")


def _calls(bench: Bench, work: Callable[[], object]) -> int:
    host = bench.host
    assert isinstance(host, MemoryHost)
    before = host.faults.total
    work()
    return host.faults.total - before


def crash_everywhere(make: Callable[[], Bench], variants: list[tuple[str, Any, Any]], *, host_owned: bool) -> int:
    """Crash in create (then create again, and then delete), in every update, and in delete; returns how many places there were."""
    bench = make()
    empty = inventory(bench.host)
    creating = _calls(bench, bench.create)
    whole = inventory(bench.host)
    deleting = _calls(bench, bench.delete)
    for at in range(1, creating + 1):
        for side in ("before", "after"):
            _crash(make, at, side, lambda b: b.create(), lambda b: b.run(b.action()), whole, "create, crash, create")
            if not host_owned:
                _crash(make, at, side, lambda b: b.create(), lambda b: b.delete(), empty, "create, crash, delete")
    for at in range(1, deleting + 1):
        for side in ("before", "after"):
            _crash(lambda: _created(make), at, side, lambda b: b.delete(), lambda b: b.delete(), empty, "delete, crash, delete")
    places = creating + deleting
    for name, first, second in variants:
        places += _crash_update(make, name, first, second)
    return places


def _created(make: Callable[[], Bench]) -> Bench:
    bench = make()
    bench.create()
    return bench


def _crash(
    make: Callable[[], Bench], at: int, side: str, work: Callable[[Bench], object], again: Callable[[Bench], object], expected: dict[str, Any], what: str
) -> None:
    bench = make()
    assert isinstance(bench.host, MemoryHost)
    try:
        with _Fuse(bench.host, at, side):
            work(bench)
    except Crash as crash:
        what = f"{what}: {crash}"
    again(bench)
    found = inventory(bench.host)
    assert found == expected, f"{what}: {differences(expected, found)}"


def _crash_update(make: Callable[[], Bench], name: str, first: Any, second: Any) -> int:
    def begin() -> Bench:
        bench = make()
        bench.change(name, first)
        bench.create()
        bench.change(name, second)
        return bench

    try:
        bench = begin()
    except UnsupportedError:
        return 0  # the plan refuses it on this host, or beside the rest of the example
    calls = _calls(bench, lambda: bench.run(bench.action()))
    whole = inventory(bench.host)
    for at in range(1, calls + 1):
        for side in ("before", "after"):
            # an update that did not end is finished by a create: the plan makes unsure instances sure that way
            _crash(begin, at, side, lambda b: b.run(b.action()), _finish, whole, f"update of {name}, crash, create")
    return calls


def _finish(bench: Bench) -> None:
    bench.plan = bench.planned(bench.desired)
    actions = [a for a in bench.plan.actions.values() if a.path == bench.subject]
    for action in actions:
        assert action.verb in ("create", "update"), f"the plan after a crash says {action.id}"
        bench.run(action)
