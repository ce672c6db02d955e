"""The floor under the engine: the same walk and the same commits (same tables, WAL, synchronous=FULL), and no model at all.

Every turn takes what is ready and commits a ``begin`` for each together with the ends of the turn before: the same rows as the engine's,
filled from ready-made samples. Nothing is read, planned, resolved, checked or called.
"""

from __future__ import annotations

import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from bench.graphs import dependencies
from stackengine.store import tables as t

STACK, OPERATION = "5a1e9c3f0b7d4862a1c0", "7c40d2e5918b4f36b2aa"
SAMPLE: dict[str, Any] = {
    "generation": 1, "type": "SE::None", "identity": {"physical_id": "se-stack-r0-aaaaaaaa"}, "refs": [], "holds": [], "attributes": {},
    "contributed": {}, "exclusive": [], "occupied": [], "fixed": [], "host": "memory://bench", "claims": [], "policies": {}, "sure": False,
    "status": "creating", "power": "running", "schema_version": 1, "protected": False,
}  # fmt: skip
"""What a no-op instance looks like when it is recorded, without its own path, properties and pieces."""


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


def upsert(table: sa.Table, *key: str) -> Any:
    """Insert or replace."""
    made = insert(table)
    return made.on_conflict_do_update(index_elements=list(key), set_={c.name: made.excluded[c.name] for c in table.columns if c.name not in key})


FENCE = t.operation.update().where(t.operation.c.id == sa.bindparam("mine")).values(lease_until=sa.bindparam("until"))
ADVANCE = t.stack.update().where(t.stack.c.id == sa.bindparam("mine")).values(last_seq=sa.bindparam("seq"), updated_at=sa.bindparam("at"))
EVENTS = t.event.insert()
INSTANCES, GENERATIONS = upsert(t.instance, "stack", "id"), upsert(t.generation, "stack", "path")
PIECES = upsert(t.piece, "stack", "instance", "piece")


def run(path: Path, shape: str, count: int) -> tuple[float, float]:
    """Create ``count`` no-op resources; returns (wall seconds, CPU seconds)."""
    database = engine(path)
    t.metadata.create_all(database)
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
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(FENCE, {"mine": OPERATION, "until": wall})
            connection.execute(ADVANCE, {"mine": STACK, "seq": seq + len(ended) + len(begun), "at": wall})
            connection.execute(EVENTS, [_event(n, "action.ready", seq + i) for i, n in enumerate(ended)] + [
                _event(n, "action.begin", seq + len(ended) + i) for i, n in enumerate(begun)
            ])  # fmt: skip
            connection.execute(INSTANCES, [_instance(n, "ready") for n in ended] + [_instance(n, "creating") for n in begun])
            if begun:
                connection.execute(GENERATIONS, [{"stack": STACK, "path": f"r{n}", "highest": 1} for n in begun])
                connection.execute(PIECES, [_piece(n) for n in begun])
            connection.exec_driver_sql("COMMIT")
            seq += len(ended) + len(begun)
            ended = begun
    return time.perf_counter() - wall, time.process_time() - cpu


def _body(n: int) -> dict[str, Any]:
    return {"path": f"r{n}", **SAMPLE, "properties": {"value": f"a{n}"}, "pieces": [["0", "memory://bench", f"se-stack-r{n}-aaaaaaaa", "creating"]]}


def _event(n: int, kind: str, seq: int) -> dict[str, Any]:
    begins = {"instance": _body(n), "reason": "it is not there yet", "type": "SE::None"}
    payload = begins if kind == "action.begin" else {"attributes": {"value": f"a{n}"}}
    return {
        "stack": STACK, "seq": seq, "operation": OPERATION, "at": 0.0, "kind": kind, "path": f"r{n}", "generation": 1, "verb": "create", "payload": payload,
    }  # fmt: skip


def _instance(n: int, status: str) -> dict[str, Any]:
    return {"stack": STACK, "id": f"r{n}@1", "path": f"r{n}", "generation": 1, "type": "SE::None", "status": status, "body": _body(n)}


def _piece(n: int) -> dict[str, Any]:
    return {
        "stack": STACK, "instance": f"r{n}@1", "piece": "0", "host": "memory://bench", "physical_id": f"se-stack-r{n}-aaaaaaaa", "status": "creating",
    }  # fmt: skip


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
