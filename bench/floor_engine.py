"""The floor under the engine: the same walk and the same commits (SQLite, WAL, synchronous=FULL), and no model at all.

Every turn takes what is ready, commits one ``begin`` row each together with the ends of the turn before, and calls nothing.
"""

from __future__ import annotations

import json
import time
from graphlib import TopologicalSorter
from pathlib import Path

import sqlalchemy as sa

from bench.graphs import dependencies


def engine(path: Path) -> sa.Engine:
    """A database with the pragmas that the store uses."""
    made = sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")

    @sa.event.listens_for(made, "connect")
    def _pragmas(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return made


def run(path: Path, shape: str, count: int) -> tuple[float, float]:
    """Create ``count`` no-op resources; returns (wall seconds, CPU seconds)."""
    database = engine(path)
    metadata = sa.MetaData()
    event = sa.Table("event", metadata, *(sa.Column(n, t) for n, t in (("seq", sa.Integer), ("kind", sa.String), ("path", sa.String), ("payload", sa.JSON))))
    sa.Table("instance", metadata, sa.Column("id", sa.String, primary_key=True), sa.Column("body", sa.JSON))
    metadata.create_all(database)
    upsert = sa.text("INSERT INTO instance (id, body) VALUES (:id, :body) ON CONFLICT (id) DO UPDATE SET body = excluded.body")
    wall, cpu, seq = time.perf_counter(), time.process_time(), 0
    walk: TopologicalSorter[int] = TopologicalSorter(dict(enumerate(dependencies(shape, count))))
    walk.prepare()
    ended: tuple[int, ...] = ()
    with database.connect() as connection:
        while True:
            walk.done(*ended)
            begun = walk.get_ready() if walk.is_active() else ()
            if not begun and not ended:
                break
            rows = [{"seq": (seq := seq + 1), "kind": "ready", "path": f"r{n}", "payload": {"attributes": {}}} for n in ended]
            rows += [{"seq": (seq := seq + 1), "kind": "begin", "path": f"r{n}", "payload": {"instance": {"path": f"r{n}", "value": n}}} for n in begun]
            states = [{"id": f"r{n}", "body": json.dumps({"status": "ready"})} for n in ended]
            states += [{"id": f"r{n}", "body": json.dumps({"status": "creating"})} for n in begun]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(event.insert(), rows)
            connection.execute(upsert, states)
            connection.exec_driver_sql("COMMIT")
            ended = begun
    return time.perf_counter() - wall, time.process_time() - cpu


def commits(path: Path, count: int) -> float:
    """Seconds of one commit of one small row, the mean over ``count``."""
    database = engine(path)
    with database.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE small (n INTEGER)")
        start = time.perf_counter()
        for n in range(count):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("INSERT INTO small VALUES (?)", (n,))
            connection.exec_driver_sql("COMMIT")
        return (time.perf_counter() - start) / count
