"""(e) Branch environments: a thousand of them on a memory host, listed and looked after."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.table import Row, Section
from stackengine import service
from stackengine.cli.render import environments as view
from stackengine.cli.render.outputs import outputs_data
from stackengine.service import stacks
from stackengine.service.environments import reap, up
from stackengine.service.environments.life import TAG, life_of
from stackengine.service.environments.origin import Origin
from stackengine.service.session import Session
from stackengine.service.types import Request, Settings
from stackengine.store import tables as t

HOW_MANY = 1000
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  thing: {type: 'SE::None', properties: {value: x}}
outputs:
  url: {value: {get_attr: [thing, value]}}
"""


def measure(quick: bool) -> Section:
    """The section of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(str(folder / "state"), "memory://")
        with service.open(settings) as session:
            multiply(session, folder, HOW_MANY)
        runs = 3 if quick else 7
        listed = [timed(settings, lambda s: view.listing(up.ls(s), time.time())) for _ in range(runs)]
        as_json = [timed(settings, lambda s: [view.data(e, view.outputs_of(s, e)) for e in up.ls(s)]) for _ in range(runs)]
        reaped = [timed(settings, lambda s: list(reap.reap(s, ask=lambda _: frozenset({"main"})))) for _ in range(runs)]
    rows = [
        Row(f"{HOW_MANY} environments: ls", listed, 0.2, "s"),
        Row(f"{HOW_MANY} environments: ls --json, with outputs", as_json, unit="s"),
        Row(f"{HOW_MANY} environments: reap, nothing to do", reaped, 2.0, "s"),
    ]
    return Section("(e) Branch environments", "In one process, the session opened anew each time; the remote of all is asked once.", rows)


def timed(settings: Settings, work: Callable[[Session], object]) -> float:
    """Seconds of work in a fresh session."""
    with service.open(settings) as session:
        start = time.perf_counter()
        work(session)
        return time.perf_counter() - start


def multiply(session: Session, folder: Path, count: int) -> None:
    """One environment by the front door, and copies of everything that is recorded of it."""
    (folder / "stack.yaml").write_text(TEMPLATE)
    wanted = up.Wanted(Origin("git.example/shop", "main", "1", "git.example/shop"))
    preview = stacks.preview(session, Request(wanted.name, folder / "stack.yaml"))
    up.begin(session, preview, wanted)
    up.conclude(session, wanted, stacks.carry_out(session, preview))
    first = session.store.stack(wanted.name)
    assert first is not None
    life = life_of(first.tags)
    assert life is not None
    shown = {"seq": first.last_seq, "outputs": outputs_data(stacks.outputs(session, first.name))}
    life = up.change(session, first, lambda life: replace(life, seen=True, shown=shown))
    tables = (t.stack, t.revision, t.operation, t.event, t.instance, t.generation, t.piece)
    with session.store.database.writing() as connection:
        for table in tables:
            of = table.c.id if table is t.stack else table.c.stack
            rows = [dict(r._mapping) for r in connection.execute(sa.select(table).where(of == first.id))]
            copies = []
            for n in range(1, count):
                branch = f"b{n}"
                new: dict[str, Any] = {"id" if table is t.stack else "stack": f"copy{n}"}
                if table is t.stack:
                    new |= {"name": f"shop-{branch}", "live_name": f"shop-{branch}", "tags": {TAG: replace(life, branch="main").to_tags()}}
                if table is t.operation:
                    new |= {"id": f"operation{n}"}
                copies += [{**r, **new} for r in rows]
            if copies:
                connection.execute(table.insert(), copies)
