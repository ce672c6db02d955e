"""The floor under the engine: the same walk and the same commits (same tables, WAL, synchronous=FULL), and no model at all.

The first commit has the operation and its revision, the last one ends them. Every turn between takes what is ready and commits a ``begin`` for each
together with the ends of the turn before: the same rows as the engine's, filled from ready-made samples. Nothing is read, planned, resolved, checked
or called.
"""

from __future__ import annotations

import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from bench.graphs import dependencies, hot
from stackengine.store import tables as t

STACK, OPERATION = "5a1e9c3f0b7d4862a1c0", "7c40d2e5918b4f36b2aa"
SAMPLE: dict[str, Any] = {
    "generation": 1, "type": "SE::None", "identity": {"physical_id": "se-stack-r0-aaaaaaaa"}, "contributed": {}, "exclusive": [], "occupied": [],
    "fixed": [], "host": "memory://bench", "claims": [], "policies": {}, "power": "running", "schema_version": 1, "protected": False,
}  # fmt: skip
"""What a no-op instance looks like when it is recorded, without its own path, properties, pieces and references, and how far it is."""
COUNTS = {"add": 1, "change": 0, "replace": 0, "destroy": 0, "retain": 0}


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


START, REVISION = t.operation.insert(), t.revision.insert()
END = t.operation.update().where(t.operation.c.id == sa.bindparam("mine")).values(status="complete", active_stack=None)
COMPLETE = t.revision.update().where(t.revision.c.stack == sa.bindparam("mine")).values(status="complete")
FENCE = t.operation.update().where(t.operation.c.id == sa.bindparam("mine")).values(lease_until=sa.bindparam("until"))
ADVANCE = t.stack.update().where(t.stack.c.id == sa.bindparam("mine")).values(last_seq=sa.bindparam("seq"), updated_at=sa.bindparam("at"))
EVENTS = t.event.insert()
INSTANCES, GENERATIONS = upsert(t.instance, "stack", "id"), upsert(t.generation, "stack", "path")
PIECES = upsert(t.piece, "stack", "instance", "piece")


def run(path: Path, shape: str, count: int) -> tuple[float, float]:
    """Create ``count`` no-op resources; returns (wall seconds, CPU seconds)."""
    database, text = engine(path), hot(shape, count)
    t.metadata.create_all(database)
    needs = dependencies(shape, count)
    wall, cpu, seq = time.perf_counter(), time.process_time(), 1
    walk: TopologicalSorter[int] = TopologicalSorter(dict(enumerate(needs)))
    walk.prepare()
    ended: tuple[int, ...] = ()
    with database.connect() as connection:
        _start(connection, text, needs)
        while True:
            walk.done(*ended)
            begun = walk.get_ready() if walk.is_active() else ()
            if not begun and not ended:
                break
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(FENCE, {"mine": OPERATION, "until": wall})
            connection.execute(ADVANCE, {"mine": STACK, "seq": seq + len(ended) + len(begun), "at": wall})
            begins = {n: _body(n, needs[n], {}, "creating") for n in begun}
            connection.execute(EVENTS, [_ready(n, seq + i) for i, n in enumerate(ended)] + [
                _begin(n, begins[n], seq + len(ended) + i) for i, n in enumerate(begun)
            ])  # fmt: skip
            ends = [_instance(n, "ready", _body(n, needs[n], {"value": f"a{n}"}, "ready")) for n in ended]
            connection.execute(INSTANCES, ends + [_instance(n, "creating", body) for n, body in begins.items()])
            if begun:
                connection.execute(GENERATIONS, [{"stack": STACK, "path": f"r{n}", "highest": 1} for n in begun])
                connection.execute(PIECES, [_piece(n) for n in begun])
            connection.exec_driver_sql("COMMIT")
            seq += len(ended) + len(begun)
            ended = begun
        _end(connection, seq)
    return time.perf_counter() - wall, time.process_time() - cpu


def _start(connection: sa.Connection, text: str, needs: list[list[int]]) -> None:
    """The first commit: the operation, the revision that it goes to, and the event that says so."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(REVISION, {
        "stack": STACK, "number": 1, "sources": [["stack.yaml", text]], "template": "stack.yaml", "language": "hot", "parameters": {},
        "desired": {"resources": [_resource(n, found) for n, found in enumerate(needs)]}, "digests": {}, "status": "running", "created_at": 0.0,
    })  # fmt: skip
    connection.execute(START, {
        "id": OPERATION, "stack": STACK, "active_stack": STACK, "kind": "create", "from_revision": 0, "to_revision": 1, "options": {}, "plan": COUNTS,
        "status": "running", "owner": "me", "epoch": 1, "lease_until": 0.0, "cancel": None, "reason": "", "queue": "", "started_at": 0.0, "finished_at": None,
    })  # fmt: skip
    connection.execute(EVENTS, [_event("operation.started", 0, {"kind": "create", "from_revision": 0, "to_revision": 1, "plan": COUNTS})])
    connection.exec_driver_sql("COMMIT")


def _end(connection: sa.Connection, seq: int) -> None:
    """The last commit."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(FENCE, {"mine": OPERATION, "until": 0.0})
    connection.execute(ADVANCE, {"mine": STACK, "seq": seq, "at": 0.0})
    connection.execute(EVENTS, [_event("operation.finished", seq, {"status": "complete", "reason": ""})])
    connection.execute(END, {"mine": OPERATION})
    connection.execute(COMPLETE, {"mine": STACK})
    connection.exec_driver_sql("COMMIT")


def _resource(n: int, needs: list[int]) -> dict[str, Any]:
    """A resource of the revision, with the places where it stands in its template."""
    place = ["stack.yaml", n, 3, n, 9]
    return {
        "path": f"r{n}", "type": "SE::None", "properties": {"value": f"a{n}"}, "marks": {"": place, "type": place, "value": place},
        "foreign_type": "SE::None", **({"depends": [[f"r{other}", "ready", "depends_on", place] for other in needs]} if needs else {}),
    }  # fmt: skip


def _body(n: int, needs: list[int], attributes: dict[str, Any], status: str) -> dict[str, Any]:
    references = [f"r{other}@1" for other in needs]
    return {
        "path": f"r{n}", **SAMPLE, "properties": {"value": f"a{n}"}, "pieces": [["0", "memory://bench", f"se-stack-r{n}-aaaaaaaa", "creating"]],
        "refs": references, "holds": references, "attributes": attributes, "sure": status == "ready", "status": status,
    }  # fmt: skip


def _begin(n: int, body: dict[str, Any], seq: int) -> dict[str, Any]:
    return _event("action.begin", seq, {"instance": body, "reason": "it is not there yet", "type": "SE::None"}, f"r{n}", "create")


def _ready(n: int, seq: int) -> dict[str, Any]:
    return _event("action.ready", seq, {"attributes": {"value": f"a{n}"}}, f"r{n}", "create")


def _event(kind: str, seq: int, payload: dict[str, Any], path: str = "", verb: str = "") -> dict[str, Any]:
    return {
        "stack": STACK, "seq": seq, "operation": OPERATION, "at": 0.0, "kind": kind, "path": path, "generation": 1, "verb": verb, "payload": payload,
    }  # fmt: skip


def _instance(n: int, status: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"stack": STACK, "id": f"r{n}@1", "path": f"r{n}", "generation": 1, "type": "SE::None", "status": status, "body": body}


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
