"""The journal of one operation: fenced, grouped commits; events, instances and secrets in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from stackengine.engine.ports import Fenced
from stackengine.events import Event
from stackengine.model.codec import instance_to_json
from stackengine.model.instance import Instance
from stackengine.store.database import Database
from stackengine.store.tables import claim, event, generation, instance, observation, operation, piece, secret, signal, stack
from stackengine.store.vault import StackVault

LEASE_SECONDS = 20.0
"""How long an operation counts as alive after its owner's last commit, for owners on other machines (on one machine the file lock tells)."""


class OperationJournal:
    """``engine.ports.Journal`` on the store."""

    def __init__(self, database: Database, stack_id: str, operation_id: str, epoch: int, vault: StackVault, watch: Callable[[Event], None] | None) -> None:
        self._database, self._stack, self._operation, self._epoch = database, stack_id, operation_id, epoch
        self._vault, self._watch = vault, watch
        self._renewed = time.monotonic()

    def commit(
        self, events: Sequence[Event], changed: Mapping[str, Instance | None], also: Callable[[sa.Connection, float], None] | None = None
    ) -> list[Event]:
        """One transaction; Fenced when the operation is somebody else's by now. ``also`` writes more in it (connection, time)."""
        now = time.time()
        with self._database.writing() as connection:
            mine = connection.execute(
                operation.update().where(operation.c.id == self._operation, operation.c.epoch == self._epoch).values(lease_until=now + LEASE_SECONDS)
            )
            if mine.rowcount != 1:
                raise Fenced(self._operation)
            stamped = append(connection, self._stack, self._operation, events, now)
            self._instances(connection, changed)
            _signals_and_observations(connection, self._stack, stamped)
            secrets = self._vault.take_new()
            if secrets:
                upsert(connection, secret, secrets, ("stack", "id", "version"))
            if also is not None:
                also(connection, now)
        self._renewed = time.monotonic()
        if self._watch is not None:
            for item in stamped:
                self._watch(item)
        return stamped

    def cancelled(self) -> str | None:
        """What a cancel asked for; also renews the lease when it is half over."""
        if time.monotonic() - self._renewed > LEASE_SECONDS / 2:
            self.commit((), {})
        with self._database.reading() as connection:
            row = connection.execute(sa.select(operation.c.cancel, operation.c.epoch).where(operation.c.id == self._operation)).one()
        if row.epoch != self._epoch:
            raise Fenced(self._operation)
        found: str | None = row.cancel
        return found

    def lease_over(self) -> bool:
        """Whether this process was frozen for so long that somebody else may have taken over; on a monotonic clock."""
        return time.monotonic() - self._renewed > LEASE_SECONDS

    def _instances(self, connection: sa.Connection, changed: Mapping[str, Instance | None]) -> None:
        gone = [i for i, found in changed.items() if found is None]
        kept = [found for found in changed.values() if found is not None]
        if gone:
            for table, column in ((instance, instance.c.id), (piece, piece.c.instance), (claim, claim.c.instance), (observation, observation.c.instance)):
                connection.execute(table.delete().where(table.c.stack == self._stack, column == sa.bindparam("gone")), [{"gone": i} for i in gone])
        if kept:
            write_instances(connection, self._stack, kept)


def write_instances(connection: sa.Connection, stack_id: str, kept: Sequence[Instance]) -> None:
    """Upsert instances with their generations and pieces."""
    rows = [
        {"stack": stack_id, "id": i.id, "path": i.path, "generation": i.generation, "type": i.type, "status": i.status, "body": instance_to_json(i)}
        for i in kept
    ]
    upsert(connection, instance, rows, ("stack", "id"))
    fresh = [i for i in kept if not i.sure and i.status == "creating"]
    if fresh:
        upsert(connection, generation, [{"stack": stack_id, "path": i.path, "highest": i.generation} for i in fresh], ("stack", "path"))
        pieces = [
            {"stack": stack_id, "instance": i.id, "piece": p.piece, "host": p.host, "physical_id": p.physical_id, "status": p.status}
            for i in fresh for p in i.pieces
        ]  # fmt: skip
        upsert(connection, piece, pieces, ("stack", "instance", "piece"))


def append(connection: sa.Connection, stack_id: str, operation_id: str, events: Sequence[Event], now: float) -> list[Event]:
    """Number and insert events; numbers run per stack, allocated under the stack's row."""
    if not events:
        return []
    connection.execute(stack.update().where(stack.c.id == stack_id).values(last_seq=stack.c.last_seq + len(events), updated_at=now))
    last = connection.execute(sa.select(stack.c.last_seq).where(stack.c.id == stack_id)).scalar_one()
    first = last - len(events) + 1
    stamped = [replace(e, stack=stack_id, operation=operation_id, at=now, seq=first + n) for n, e in enumerate(events)]
    connection.execute(event.insert(), [_row(e) for e in stamped])
    return stamped


def _row(item: Event) -> dict[str, Any]:
    return {
        "stack": item.stack, "seq": item.seq, "operation": item.operation, "at": item.at, "kind": item.kind, "path": item.path,
        "generation": item.generation, "verb": item.verb, "payload": item.payload,
    }  # fmt: skip


def _signals_and_observations(connection: sa.Connection, stack_id: str, events: Sequence[Event]) -> None:
    for item in events:
        if item.kind == "signal.received":
            row = {"stack": stack_id, "handle": item.payload["handle"], "id": item.payload["id"], "body": dict(item.payload)}
            upsert(connection, signal, [row], ("stack", "handle", "id"))
        elif item.kind == "observed":
            row = {"stack": stack_id, "instance": item.instance_id, "properties": item.payload["properties"]}
            upsert(connection, observation, [row], ("stack", "instance"))
    applied = [{"applied": e.instance_id} for e in events if e.kind in ("action.configured", "action.ready")]
    if applied and connection.execute(sa.select(observation.c.instance).where(observation.c.stack == stack_id).limit(1)).first():
        connection.execute(observation.delete().where(observation.c.stack == stack_id, observation.c.instance == sa.bindparam("applied")), applied)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]], key: tuple[str, ...]) -> None:
    """Insert or replace rows, in the database's own words."""
    if not rows:
        return
    others = [c.name for c in table.columns if c.name not in key]
    dialect = connection.dialect.name
    statement: Any
    if dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        base = mysql_insert(table)
        statement = base.on_duplicate_key_update({n: base.inserted[n] for n in others or key})
    else:
        from sqlalchemy.dialects import postgresql, sqlite

        made: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
        changes = {n: made.excluded[n] for n in others}
        statement = made.on_conflict_do_update(index_elements=list(key), set_=changes) if others else made.on_conflict_do_nothing()
    connection.execute(statement, list(rows))
