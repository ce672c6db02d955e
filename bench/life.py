"""The life of a stack of no-op resources in one process, step by step beside the floor; prints one JSON document.

Started by ``bench.engine`` as ``python -m bench.life SHAPE COUNT FLOOR_FIRST FOLDER``. What is timed runs once before on two resources, so that
imports, compiled statements and caches are not part of it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bench import floor_engine
from bench.graphs import hot
from stackengine import service
from stackengine.cli.main import collect_rarely
from stackengine.events import Event
from stackengine.model.desired import Desired
from stackengine.planning import make_plan
from stackengine.planning.plan import Plan
from stackengine.service import grounds, prepare, stacks
from stackengine.service.session import Session
from stackengine.service.types import Request, Settings
from stackengine.store.log import OperationJournal

T = TypeVar("T")
HOST = "memory://bench"


class Clock:
    """Wall and CPU seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[float, float]] = {}

    def time(self, step: str, work: Callable[[], T]) -> T:
        """Run ``work`` and keep what it cost."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        self.steps[step] = (time.perf_counter() - wall, time.process_time() - cpu)
        return found


def live(session: Session, template: Path, name: str, clock: Clock) -> None:
    """Create, a plan without changes, an update without changes, delete."""
    request = Request(name, template)
    first = clock.time("plan", lambda: stacks.preview(session, request))
    created = clock.time("create", lambda: stacks.carry_out(session, first))
    again = clock.time("plan again", lambda: stacks.preview(session, request))
    assert created.status == "complete", created
    assert again.plan.empty, again.plan.counts()
    clock.time("plan from evaluated", lambda: planned(session, name, again.desired))
    clock.time("update", lambda: stacks.carry_out(session, stacks.preview(session, request)))
    deleted = clock.time("delete", lambda: stacks.carry_out(session, stacks.preview_down(session, name)))
    assert deleted.status == "complete", deleted


def planned(session: Session, name: str, desired: Desired) -> Plan:
    """The plan of an evaluated template: what is recorded is read, the ground is gathered, and the two are compared."""
    row = prepare.find_stack(session, name)
    recorded = session.store.recorded(row.id)
    ground = grounds.gather(session, row, recorded, prepare.open_host_of(session, row))
    found = make_plan(desired, recorded, ground, session.registry, secrets=session.store.vault(row.id))
    assert found.empty, found.counts()
    return found


def counted() -> list[int]:
    """A list that gets one entry per commit of a journal from now on."""
    commits: list[int] = []
    commit = OperationJournal.commit

    def counting(self: OperationJournal, *arguments: Any) -> list[Event]:
        commits.append(1)
        return commit(self, *arguments)

    OperationJournal.commit = counting  # type: ignore[method-assign, assignment]
    return commits


def main(shape: str, count: int, floor_first: bool, folder: Path) -> None:
    """Measure and print."""
    collect_rarely()
    clock = Clock()
    small, template = folder / "small.yaml", folder / "stack.yaml"
    small.write_text(hot(shape, 2), "utf-8")
    template.write_text(hot(shape, count), "utf-8")

    def floor() -> None:
        clock.steps["floor"] = floor_engine.run(folder / "floor.db", shape, count)

    floor_engine.run(folder / "small.db", shape, 2)
    with service.open(Settings(str(folder / "state"), HOST)) as session:
        live(session, small, "warm", Clock())
        commits = counted()
        if floor_first:
            floor()
        live(session, template, "stack", clock)
        if not floor_first:
            floor()
    single = floor_engine.commits(folder / "commit.db", 50)
    json.dump({"steps": clock.steps, "commits": len(commits), "commit": single}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", Path(sys.argv[4]))
