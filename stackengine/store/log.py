"""The journal of one operation: fenced, grouped commits; events, instances and secrets in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from stackengine.engine.ports import Fenced
from stackengine.events import Event
from stackengine.model.codec import instance_to_json
from stackengine.model.instance import Instance
from stackengine.store.database import Database
from stackengine.store.many import execute_many
from stackengine.store.tables import claim, event, generation, instance, observation, operation, piece, revision, secret, signal, stack
from stackengine.store.vault import StackVault

LEASE_SECONDS = 20.0
"""How long an operation counts as alive after its owner's last commit, for owners on other machines (on one machine the file lock tells)."""


_FENCE = (
    operation.update()
    .where(operation.c.id == sa.bindparam("mine"), operation.c.epoch == sa.bindparam("mine_since"))
    .values(lease_until=sa.bindparam("until"))
)
_ADVANCE = (
    stack.update().where(stack.c.id == sa.bindparam("of")).values(last_seq=stack.c.last_seq + sa.bindparam("more"), updated_at=sa.bindparam("now"))
)
_ADVANCE_AND_TELL = _ADVANCE.returning(stack.c.last_seq)
_INSERT_EVENTS = event.insert()
_LAST = sa.select(stack.c.last_seq).where(stack.c.id == sa.bindparam("of"))
_CANCEL = sa.select(operation.c.cancel, operation.c.epoch).where(operation.c.id == sa.bindparam("mine"))
_AIM = sa.select(operation.c.to_revision).where(operation.c.id == sa.bindparam("mine")).scalar_subquery()
_STANDS = (
    stack.update().where(stack.c.id == sa.bindparam("of")).values(revision=_AIM),
    revision.update().where(revision.c.stack == sa.bindparam("of"), revision.c.number == _AIM).values(status="complete"),
)
_ANY_OBSERVATION = sa.select(observation.c.instance).where(observation.c.stack == sa.bindparam("of")).limit(1)
"""Statements that every commit needs are made once."""


class OperationJournal:
    """``engine.ports.Journal`` on the store."""

    def __init__(self, database: Database, stack_id: str, operation_id: str, epoch: int, vault: StackVault, watch: Callable[[Event], None] | None) -> None:
        self._database, self._stack, self._operation, self._epoch = database, stack_id, operation_id, epoch
        self._vault, self._watch = vault, watch
        self._renewed = time.monotonic()
        self._observations: bool | None = None

    def commit(
        self, events: Sequence[Event], changed: Mapping[str, Instance | None], also: Callable[[sa.Connection, float], None] | None = None
    ) -> list[Event]:
        """One transaction; Fenced when the operation is somebody else's by now. ``also`` writes more in it (connection, time)."""
        now = time.time()
        with self._database.writing() as connection:
            mine = connection.execute(_FENCE, {"mine": self._operation, "mine_since": self._epoch, "until": now + LEASE_SECONDS})
            if mine.rowcount != 1:
                raise Fenced(self._operation)
            stamped = append(connection, self._stack, self._operation, events, now)
            change_instances(connection, self._stack, changed, {e.instance_id: e.payload["instance"] for e in events if e.kind == "action.begin"})
            write_pieces(connection, self._stack, [i for e in events if e.kind == "action.skipped" and (i := changed.get(e.instance_id)) is not None])
            self._observations = signals_and_observations(connection, self._stack, stamped, self._observations)  # only this operation adds some
            if any(e.kind == "operation.reached" for e in events):
                for statement in _STANDS:
                    connection.execute(statement, {"of": self._stack, "mine": self._operation})
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
            row = connection.execute(_CANCEL, {"mine": self._operation}).one()
        if row.epoch != self._epoch:
            raise Fenced(self._operation)
        found: str | None = row.cancel
        return found

    def lease_over(self) -> bool:
        """Whether this process was frozen for so long that somebody else may have taken over; on a monotonic clock."""
        return time.monotonic() - self._renewed > LEASE_SECONDS


def change_instances(
    connection: sa.Connection, stack_id: str, changed: Mapping[str, Instance | None], begun: Mapping[str, dict[str, Any]] | None = None
) -> None:
    """Write what changed; None: the instance is no more, nor is what belongs to it. ``begun``: see :func:`write_instances`."""
    gone = [i for i, found in changed.items() if found is None]
    kept = [found for found in changed.values() if found is not None]
    if gone:
        for statement in _forgetting():
            connection.execute(statement, [{"of": stack_id, "gone": i} for i in gone])
    if kept:
        write_instances(connection, stack_id, kept, begun or {})


def signals_and_observations(connection: sa.Connection, stack_id: str, events: Sequence[Event], known: bool | None) -> bool:
    """Keep the tables of signals and observations in step with the log; ``known``: whether there are observations (None: look), which is returned."""
    if known is None:
        known = connection.execute(_ANY_OBSERVATION, {"of": stack_id}).first() is not None
    for item in events:
        if item.kind == "signal.received":
            row = {"stack": stack_id, "handle": item.payload["handle"], "id": item.payload["id"], "body": dict(item.payload)}
            upsert(connection, signal, [row], ("stack", "handle", "id"))
        elif item.kind == "action.begin" and "forgets" in item.payload:
            connection.execute(signal.delete().where(signal.c.stack == stack_id, signal.c.handle == item.payload["forgets"]))
        elif item.kind == "action.failed" and "spent" in item.payload:
            _forget_failures(connection, stack_id, item.payload["spent"])
        elif item.kind == "observed":
            known = True
            row = {"stack": stack_id, "instance": item.instance_id, "properties": item.payload["properties"]}
            upsert(connection, observation, [row], ("stack", "instance"))
    applied = [{"of": stack_id, "gone": e.instance_id} for e in events if e.kind in ("action.configured", "action.ready")]
    if applied and known:
        connection.execute(_forgetting()[-1], applied)
    return known


@lru_cache(maxsize=1)
def _forgetting() -> tuple[sa.Delete, ...]:
    """What takes an instance out of every table; the last one takes out what was observed of it."""
    columns = ((instance, instance.c.id), (piece, piece.c.instance), (claim, claim.c.instance), (observation, observation.c.instance))
    return tuple(t.delete().where(t.c.stack == sa.bindparam("of"), c == sa.bindparam("gone")) for t, c in columns)


def write_instances(connection: sa.Connection, stack_id: str, kept: Sequence[Instance], begun: Mapping[str, dict[str, Any]]) -> None:
    """Upsert instances with their generations and pieces. ``begun``: what the events of this commit say of those that begin, ready-made."""
    rows = [
        {"stack": stack_id, "id": (id_ := i.id), "path": i.path, "generation": i.generation, "type": i.type, "status": i.status,
         "body": _as_begun(i, begun.get(id_)) or instance_to_json(i)}
        for i in kept
    ]  # fmt: skip
    upsert(connection, instance, rows, ("stack", "id"))
    fresh = [i for i in kept if not i.sure and i.status in ("creating", "moving")]
    if fresh:
        highest = [{"stack": stack_id, "path": i.path, "highest": i.generation} for i in fresh]
        upsert(connection, generation, highest, ("stack", "path"), most=True)  # an older one may be made again: its number is no new one
    write_pieces(connection, stack_id, [*fresh, *(i for i in kept if i.status == "updating")])  # a record goes along when its stack leaves a host


def write_pieces(connection: sa.Connection, stack_id: str, instances: Sequence[Instance]) -> None:
    """Upsert the pieces of instances."""
    rows = [
        {"stack": stack_id, "instance": i.id, "piece": p.piece, "host": p.host, "physical_id": p.physical_id, "status": p.status}
        for i in instances for p in i.pieces
    ]  # fmt: skip
    if rows:
        upsert(connection, piece, rows, ("stack", "instance", "piece"))


def _as_begun(instance: Instance, begun: dict[str, Any] | None) -> dict[str, Any] | None:
    """The form in which the instance's begin stands in the log, where nothing has happened to it since: all that can happen changes its status."""
    return begun if begun is not None and begun["status"] == instance.status and not instance.sure else None


def append(connection: sa.Connection, stack_id: str, operation_id: str, events: Sequence[Event], now: float) -> list[Event]:
    """Number and insert events; numbers run per stack, allocated under the stack's row."""
    if not events:
        return []
    moved = {"of": stack_id, "more": len(events), "now": now}
    if connection.dialect.update_returning:
        last = connection.execute(_ADVANCE_AND_TELL, moved).scalar_one()
    else:
        connection.execute(_ADVANCE, moved)
        last = connection.execute(_LAST, {"of": stack_id}).scalar_one()
    first = last - len(events) + 1
    stamped = [Event(e.kind, e.path, e.generation, e.verb, e.payload, now, operation_id, stack_id, first + n) for n, e in enumerate(events)]
    execute_many(connection, _INSERT_EVENTS, [_row(e) for e in stamped])
    return stamped


def _row(item: Event) -> dict[str, Any]:
    return {
        "stack": item.stack, "seq": item.seq, "operation": item.operation, "at": item.at, "kind": item.kind, "path": item.path,
        "generation": item.generation, "verb": item.verb, "payload": item.payload,
    }  # fmt: skip


def _forget_failures(connection: sa.Connection, stack_id: str, handle: str) -> None:
    here = (signal.c.stack == stack_id, signal.c.handle == handle)
    for id_, body in connection.execute(sa.select(signal.c.id, signal.c.body).where(*here)).all():
        if body["status"] == "FAILURE":
            connection.execute(signal.delete().where(*here, signal.c.id == id_))


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]], key: tuple[str, ...], *, most: bool = False) -> None:
    """Insert or replace rows, in the database's own words; ``most``: of the old and the new values the larger ones stay."""
    execute_many(connection, _upserting(connection.dialect.name, table, key, most), rows)


@lru_cache(maxsize=64)
def _upserting(dialect: str, table: sa.Table, key: tuple[str, ...], most: bool) -> Any:
    others = [c.name for c in table.columns if c.name not in key]
    statement: Any

    def changed(new: Any) -> dict[str, Any]:
        return {n: sa.case((new[n] > table.c[n], new[n]), else_=table.c[n]) if most else new[n] for n in others}

    if dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        base = mysql_insert(table)
        statement = base.on_duplicate_key_update(changed(base.inserted) or {n: base.inserted[n] for n in key})
    else:
        from sqlalchemy.dialects import postgresql, sqlite

        made: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
        changes = changed(made.excluded)
        statement = made.on_conflict_do_update(index_elements=list(key), set_=changes) if others else made.on_conflict_do_nothing()
    return statement
