"""The store: stacks, revisions, operations, recorded state, claims."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from stackengine.events import Event
from stackengine.model.codec import desired_from_json, desired_to_json, instance_from_json, scopes_from_json, value_from_json, value_to_json
from stackengine.model.desired import Desired, Scope
from stackengine.model.instance import MACHINE, Claim, Instance, Recorded
from stackengine.model.template import Source
from stackengine.planning.moves import moves_of
from stackengine.store import claims as claims_
from stackengine.store import tables as t
from stackengine.store.changes import ChangeSets
from stackengine.store.database import Database
from stackengine.store.errors import BusyError, ClaimConflictError
from stackengine.store.log import LEASE_SECONDS, OperationJournal, append, change_instances, signals_and_observations, upsert, write_pieces
from stackengine.store.ownership import Ownership
from stackengine.store.vault import StackVault, fitting_key, load_key, rotate
from stackengine.store.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class StackRow:
    """A stack as recorded."""

    id: str
    name: str
    seed: bytes
    host: str
    revision: int
    last_seq: int
    state: str
    reason: str
    language: str
    created_at: float
    updated_at: float
    alive: bool
    tags: dict[str, Any] = field(default_factory=dict)
    protected: bool = False
    policy: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation as recorded."""

    id: str
    stack: str
    kind: str
    from_revision: int
    to_revision: int
    status: str
    owner: str
    epoch: int
    lease_until: float
    options: dict[str, Any]
    started_at: float
    finished_at: float | None
    reason: str
    plan: dict[str, Any] = field(default_factory=dict)
    """How many actions of each kind it had."""


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A self-contained revision: everything that evaluation read, and what it gave."""

    number: int
    desired: Desired
    language: str = ""
    template: str = ""
    sources: tuple[Source, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    created_at: float = 0.0


class Store:
    """All that is recorded; every method is one transaction."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.folder = folder
        self._key: bytes | None = None
        self.change_sets, self.webhooks = ChangeSets(self.database), Webhooks(self.database)

    @property
    def id(self) -> str:
        """The store's id, as it stands in the metadata of what we own."""
        return str(self.database.store_id)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def vault(self, stack_id: str) -> StackVault:
        """The secrets of a stack."""
        return StackVault(self.database, stack_id, self.key)

    @property
    def key(self) -> bytes:
        """The store's key."""
        self._key = self._key or fitting_key(self.database, self.folder, load_key(self.folder))
        return self._key

    def rotate_key(self) -> None:
        """Encrypt every secret under a new key, in the file ``key``; BusyError while an operation runs."""

        def check(connection: sa.Connection) -> None:
            if connection.execute(sa.select(t.operation.c.stack).where(t.operation.c.active_stack.is_not(None)).limit(1)).first() is not None:
                raise BusyError("an operation runs, or was left unfinished", "wait for it, or resume it: stack-run ls")

        self._key = rotate(self.database, self.folder, self.key, check)

    # stacks

    def stack(self, name: str) -> StackRow | None:
        """The living stack of this name."""
        with self.database.reading() as connection:
            row = connection.execute(sa.select(t.stack).where(t.stack.c.live_name == name)).one_or_none()
        return _stack(row) if row is not None else None

    def stack_of(self, stack_id: str) -> StackRow:
        """A stack by its id, living or not."""
        with self.database.reading() as connection:
            return _stack(connection.execute(sa.select(t.stack).where(t.stack.c.id == stack_id)).one())

    def stacks(self, *, all_: bool = False) -> list[StackRow]:
        """Living stacks by name (``all_``: deleted ones too)."""
        query = sa.select(t.stack).order_by(t.stack.c.name, t.stack.c.created_at)
        with self.database.reading() as connection:
            rows = connection.execute(query if all_ else query.where(t.stack.c.live_name.is_not(None))).all()
        return [_stack(r) for r in rows]

    @staticmethod
    def fresh(name: str, host: str, language: str) -> StackRow:
        """A stack that is not recorded yet: a plan can be made for it and thrown away."""
        now = time.time()
        return StackRow(uuid.uuid4().hex[:20], name, os.urandom(32), host, 0, 0, "none", "", language, now, now, True)

    def record(self, stack: StackRow, revision: RevisionRow | None = None) -> None:
        """Record a fresh stack; BusyError when the name is taken meanwhile. Revision 0 is empty; ``revision``: the one that it is known to be at."""
        row = {
            "id": stack.id, "name": stack.name, "live_name": stack.name, "seed": stack.seed, "host": stack.host,
            "revision": revision.number if revision is not None else 0, "last_seq": 0,
            "state": "none", "reason": "", "language": stack.language, "tags": stack.tags, "protected": False, "policy": None, "parent": None,
            "created_at": stack.created_at, "updated_at": stack.updated_at,
        }  # fmt: skip
        try:
            with self.database.writing() as connection:
                connection.execute(t.stack.insert(), row)
                if revision is not None:
                    connection.execute(t.revision.insert(), {**_revision_row(stack.id, revision, time.time()), "status": "complete"})
        except Exception as error:
            if isinstance(error.__cause__, IntegrityError):
                raise BusyError(f"a stack {stack.name} was made by another process just now", "run the command again") from error
            raise

    def change_tags(self, stack_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Replace the stack's tags by what ``change`` makes of them, in one transaction; the new tags."""
        with self.database.writing() as connection:
            before = connection.execute(sa.select(t.stack.c.tags).where(t.stack.c.id == stack_id)).scalar_one()
            after = change(dict(before))
            connection.execute(t.stack.update().where(t.stack.c.id == stack_id).values(tags=after))
        return after

    def drop_unused(self, stack_id: str) -> None:
        """Remove a stack on which no operation was ever run."""
        with self.database.writing() as connection:
            if connection.execute(sa.select(t.operation.c.id).where(t.operation.c.stack == stack_id).limit(1)).first() is None:
                connection.execute(t.secret.delete().where(t.secret.c.stack == stack_id))
                connection.execute(t.stack.delete().where(t.stack.c.id == stack_id))

    def recorded(self, stack_id: str) -> Recorded:
        """The recorded state: what folding the log gives, kept in tables by the same transactions."""
        with self.database.reading() as connection:
            bodies = connection.execute(sa.select(t.instance.c.body).where(t.instance.c.stack == stack_id).order_by(t.instance.c.id)).scalars().all()
            generations = connection.execute(sa.select(t.generation.c.path, t.generation.c.highest).where(t.generation.c.stack == stack_id)).all()
            seen = connection.execute(sa.select(t.observation.c.instance, t.observation.c.properties).where(t.observation.c.stack == stack_id)).all()
            bodies_of_signals = connection.execute(sa.select(t.signal.c.body).where(t.signal.c.stack == stack_id)).scalars().all()
        instances = [instance_from_json(b) for b in bodies]
        signals: dict[str, list[dict[str, Any]]] = {}
        for body in bodies_of_signals:
            signals.setdefault(body["handle"], []).append({k: body.get(k) for k in ("id", "status", "reason", "data")})
        return Recorded({i.id: i for i in instances}, dict(generations), {i: value_from_json(p) for i, p in seen}, signals, {})

    def instances(self, *, type_: str = "") -> list[tuple[str, Instance]]:
        """(name of the stack, instance) of everything that living stacks have (``type_``: of one type), in one query."""
        query = sa.select(t.stack.c.name, t.instance.c.body).join(t.stack, t.stack.c.id == t.instance.c.stack).where(t.stack.c.live_name.is_not(None))
        query = query.where(t.instance.c.type == type_) if type_ else query
        with self.database.reading() as connection:
            return [(name, instance_from_json(body)) for name, body in connection.execute(query.order_by(t.stack.c.name, t.instance.c.id))]

    def count_instances(self, stack_id: str) -> int:
        """How many objects the stack has."""
        with self.database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(t.instance).where(t.instance.c.stack == stack_id)).scalar() or 0)

    def revision(self, stack_id: str, number: int) -> RevisionRow:
        """A revision; number 0 is empty."""
        if number == 0:
            return RevisionRow(0, Desired())
        query = sa.select(t.revision).where(t.revision.c.stack == stack_id, t.revision.c.number == number)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise KeyError(number)
        sources = tuple(Source(n, text) for n, text in row.sources)
        return RevisionRow(
            number, desired_from_json(row.desired), row.language, row.template, sources, value_from_json(row.parameters), row.status, row.created_at
        )

    def scopes(self, stack_id: str, number: int) -> dict[str, Scope]:
        """The scopes of a revision's desired state, without its resources."""
        query = sa.select(t.revision.c.desired).where(t.revision.c.stack == stack_id, t.revision.c.number == number)
        with self.database.reading() as connection:
            return scopes_from_json(connection.execute(query).scalar_one())

    def shared(self, stack_id: str, number: int) -> dict[str, Any]:
        """What a revision shares with other stacks (``Desired.extra``: exports, imports), without the rest; nothing for revision 0."""
        query = sa.select(t.revision.c.desired["extra"]).where(t.revision.c.stack == stack_id, t.revision.c.number == number)
        with self.database.reading() as connection:
            found: dict[str, Any] = connection.execute(query).scalar() or {}
            return found

    def revisions(self, stack_id: str) -> list[dict[str, Any]]:
        """Number, time, status, language and template name of every revision."""
        c = t.revision.c
        query = sa.select(c.number, c.created_at, c.status, c.language, c.template).where(c.stack == stack_id).order_by(c.number)
        with self.database.reading() as connection:
            return [dict(r) for r in connection.execute(query).mappings()]

    def moves(self, stack_id: str) -> list[tuple[str, str]]:
        """Every renaming of a logical id that a revision said."""
        with self.database.reading() as connection:
            found = connection.execute(sa.select(t.revision.c.digests).where(t.revision.c.stack == stack_id).order_by(t.revision.c.number)).scalars()
            return [(old, new) for digests in found for old, new in digests.get("moved", ())]

    # operations

    def active(self, stack_id: str) -> OperationRow | None:
        """The operation that is under way (its owner may be gone)."""
        with self.database.reading() as connection:
            row = connection.execute(sa.select(t.operation).where(t.operation.c.active_stack == stack_id)).one_or_none()
        return _operation(row) if row is not None else None

    def last_operation(self, stack_id: str) -> OperationRow | None:
        """The newest operation."""
        query = sa.select(t.operation).where(t.operation.c.stack == stack_id).order_by(t.operation.c.started_at.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return _operation(row) if row is not None else None

    def operations(self, stack_id: str) -> list[OperationRow]:
        """Every operation, oldest first."""
        query = sa.select(t.operation).where(t.operation.c.stack == stack_id).order_by(t.operation.c.started_at)
        with self.database.reading() as connection:
            return [_operation(r) for r in connection.execute(query)]

    def submit(
        self, stack: StackRow, kind: str, *, revision: RevisionRow | None, to_revision: int, claims: Sequence[Claim], options: dict[str, Any],
        vault: StackVault, watch: Callable[[Event], None] | None, summary: dict[str, Any], instances_of: dict[Claim, str],
    ) -> tuple[OperationRow, OperationJournal]:  # fmt: skip
        """Begin an operation: its row, its revision and its claims in one transaction.

        Raises BusyError when one is under way, ClaimConflictError when a claim was given away or the stack moved on: plan again.
        """
        now, id_ = time.time(), uuid.uuid4().hex[:20]
        with self.database.writing() as connection:
            current = connection.execute(sa.select(t.stack.c.last_seq).where(t.stack.c.id == stack.id)).scalar()
            if current != stack.last_seq:
                raise ClaimConflictError("the stack changed meanwhile")
            if connection.execute(sa.select(t.operation.c.id).where(t.operation.c.active_stack == stack.id)).first():
                raise BusyError(f"an operation runs on the stack {stack.name}", "wait for it, or cancel it")
            if revision is not None:
                connection.execute(t.revision.insert(), _revision_row(stack.id, revision, now))
            claims_.take(connection, stack.id, claims, instances_of)
            connection.execute(t.operation.insert(), {
                "id": id_, "stack": stack.id, "active_stack": stack.id, "kind": kind, "from_revision": stack.revision, "to_revision": to_revision,
                "options": options, "plan": summary, "status": "running", "owner": Ownership.me(), "epoch": 1, "lease_until": now + LEASE_SECONDS,
                "cancel": None, "reason": "", "queue": stack.host, "started_at": now, "finished_at": None,
            })  # fmt: skip
            connection.execute(t.stack.update().where(t.stack.c.id == stack.id).values(state="running", reason="", updated_at=now, host=stack.host))
            secrets = vault.take_new()
            upsert(connection, t.secret, secrets, ("stack", "id", "version"))
            started = [Event("operation.started", payload={"kind": kind, "from_revision": stack.revision, "to_revision": to_revision, "plan": summary})]
            stamped = append(connection, stack.id, id_, started, now)
        if watch is not None:
            watch(stamped[0])
        row = self.active(stack.id)
        assert row is not None
        return row, OperationJournal(self.database, stack.id, id_, 1, vault, watch)

    def take_over(self, row: OperationRow, vault: StackVault, watch: Callable[[Event], None] | None) -> OperationJournal:
        """Become the owner of an operation whose owner is gone: the epoch moves on, and its old owner is fenced out."""
        with self.database.writing() as connection:
            moved = connection.execute(
                t.operation.update()
                .where(t.operation.c.id == row.id, t.operation.c.epoch == row.epoch)
                .values(epoch=row.epoch + 1, owner=Ownership.me(), lease_until=time.time() + LEASE_SECONDS, cancel=None)
            )
            if moved.rowcount != 1:
                raise BusyError("another process resumes this operation", "wait for it")
            claims_.give_back(connection, row.stack)
        return OperationJournal(self.database, row.stack, row.id, row.epoch + 1, vault, watch)

    def turn_back(self, row: OperationRow, journal: OperationJournal, to: int) -> OperationRow:
        """The operation aims at ``to`` now (the revision that it came from, or 0): a crash from here on resumes the rollback. Fenced when not ours."""
        started = Event("operation.started", payload={"kind": "rollback", "from_revision": row.to_revision, "to_revision": to})

        def also(connection: sa.Connection, _now: float) -> None:
            values = {"kind": "rollback", "to_revision": to, "cancel": None}
            connection.execute(t.operation.update().where(t.operation.c.id == row.id).values(**values))
            _end_revision(connection, row.stack, row.to_revision, "failed")
            claims_.give_back(connection, row.stack)

        journal.commit([started], {}, also)
        return replace(row, kind="rollback", to_revision=to)

    def supersede(self, row: OperationRow) -> None:
        """End an operation whose owner is gone: the next one's plan covers what it left."""
        with self.database.writing() as connection:
            ended = {"status": "interrupted", "active_stack": None, "epoch": row.epoch + 1, "finished_at": time.time(), "reason": "its owner is gone"}
            connection.execute(t.operation.update().where(t.operation.c.id == row.id, t.operation.c.epoch == row.epoch).values(**ended))
            _end_revision(connection, row.stack, row.to_revision, "interrupted")
            claims_.give_back(connection, row.stack)

    def claim_more(self, stack_id: str, claims: Sequence[Claim], instances_of: dict[Claim, str]) -> None:
        """Take claims for a plan that was made again (resume, rollback)."""
        with self.database.writing() as connection:
            claims_.take(connection, stack_id, claims, instances_of)

    def finish(self, row: OperationRow, journal: OperationJournal, *, status: str, state: str, revision: int | None, reason: str) -> None:
        """End an operation: ``status`` is the operation's, ``state`` the stack's; ``revision`` becomes the current one. Fenced when it is not ours."""

        def also(connection: sa.Connection, now: float) -> None:
            connection.execute(t.operation.update().where(t.operation.c.id == row.id).values(status=status, active_stack=None, finished_at=now, reason=reason))
            values: dict[str, Any] = {"state": state, "reason": reason, "updated_at": now}
            if revision is not None:
                values["revision"] = revision
            if state == "deleted":
                values["live_name"] = None
                connection.execute(t.claim.delete().where(t.claim.c.stack == row.stack))
                connection.execute(t.secret.delete().where(t.secret.c.stack == row.stack))
            else:
                claims_.give_back(connection, row.stack)
            connection.execute(t.stack.update().where(t.stack.c.id == row.stack).values(**values))
            if revision is not None:
                connection.execute(t.revision.update().where(t.revision.c.stack == row.stack, t.revision.c.number == revision).values(status="complete"))
            else:
                _end_revision(connection, row.stack, row.to_revision, status)

        journal.commit([Event("operation.finished", payload={"status": status, "reason": reason})], {}, also)

    def ask_cancel(self, stack_id: str, policy: str) -> bool:
        """Leave a request to cancel; whether an operation is under way."""
        with self.database.writing() as connection:
            done = connection.execute(t.operation.update().where(t.operation.c.active_stack == stack_id).values(cancel=policy))
            return done.rowcount == 1

    def amend(
        self, stack: StackRow, events: Sequence[Event], changed: Mapping[str, Instance | None], *, settings: dict[str, Any] | None = None,
        claims: Mapping[Claim, str] | None = None,
    ) -> None:  # fmt: skip
        """Record something outside an operation (a reading, a protection, an import); BusyError while one runs. ``settings``: columns of the stack."""
        now = time.time()
        with self.database.writing() as connection:
            if connection.execute(sa.select(t.operation.c.id).where(t.operation.c.active_stack == stack.id)).first():
                raise BusyError(f"an operation runs on the stack {stack.name}, or was left unfinished", f"wait for it, or: stack-run resume {stack.name}")
            claims_.take(connection, stack.id, list(claims or ()), dict(claims or {}))
            change_instances(connection, stack.id, changed)
            stamped = append(connection, stack.id, "", events, now)
            signals_and_observations(connection, stack.id, stamped, None)
            kept = [i for i in changed.values() if i is not None]
            _raise_generations(connection, stack.id, kept)
            write_pieces(connection, stack.id, kept)
            if settings:
                connection.execute(t.stack.update().where(t.stack.c.id == stack.id).values(**settings))

    def hosts(self) -> dict[str, set[str]]:
        """By the name of each living stack its own host, and those that it has pieces on."""
        own = sa.select(t.stack.c.name, t.stack.c.host).where(t.stack.c.live_name.is_not(None))
        query = own.union(sa.select(t.stack.c.name, t.piece.c.host).join(t.piece, t.piece.c.stack == t.stack.c.id).where(t.stack.c.live_name.is_not(None)))
        found: dict[str, set[str]] = {}
        with self.database.reading() as connection:
            for name, host in connection.execute(query):
                found.setdefault(name, set()).add(host)
        return found

    # claims, events

    def claims_of_others(self, host: str, stack_id: str) -> dict[Claim, str]:
        """What other stacks have on a host, and on this machine; with the name of each stack."""
        c = t.claim.c
        query = sa.select(c.host, c.kind, c.value, t.stack.c.name).join(t.stack, t.stack.c.id == c.stack)
        with self.database.reading() as connection:
            found = connection.execute(query.where(c.host.in_((host, MACHINE)), c.stack != stack_id))
            return {Claim(r.host, r.kind, r.value): r.name for r in found}

    def published_names(self) -> dict[str, str]:
        """The names in this machine's DNS zone, and the loopback address of each."""
        name, address = t.claim.alias(), t.claim.alias()
        both = sa.and_(name.c.stack == address.c.stack, name.c.instance == address.c.instance)
        query = sa.select(name.c.value, address.c.value).join(address, both).where(name.c.kind == "dns", address.c.kind == "loopback")
        with self.database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def events(self, stack_id: str, since: int = 0, limit: int = 1000) -> list[Event]:
        """Events after number ``since``, in order."""
        query = sa.select(t.event).where(t.event.c.stack == stack_id, t.event.c.seq > since).order_by(t.event.c.seq).limit(limit)
        with self.database.reading() as connection:
            return [Event(r.kind, r.path, r.generation, r.verb, r.payload, r.at, r.operation, r.stack, r.seq) for r in connection.execute(query)]

    def made_by(self, row: OperationRow) -> frozenset[str]:
        """Ids of the instances that an operation made and no other; what it only made sure or made again was there before it."""
        e = t.event.c
        query = sa.select(e.operation, e.path, e.generation).where(e.stack == row.stack, e.kind == "action.begin", e.verb == "create")
        with self.database.reading() as connection:
            found = [(r.operation == row.id, Event("action.begin", r.path, r.generation).instance_id) for r in connection.execute(query)]
        return frozenset(i for mine, i in found if mine) - {i for mine, i in found if not mine}

    def next_revision(self, stack_id: str) -> int:
        """The number of the next revision."""
        with self.database.reading() as connection:
            highest = connection.execute(sa.select(sa.func.max(t.revision.c.number)).where(t.revision.c.stack == stack_id)).scalar()
        return int(highest or 0) + 1

    def ownership(self, stack_id: str) -> Ownership:
        """The file lock that tells whether the owner of a stack's operation lives on this machine."""
        return Ownership(self.folder / "locks" / f"{stack_id}.lock")


def _raise_generations(connection: sa.Connection, stack_id: str, instances: Sequence[Instance]) -> None:
    """The highest generation of each path, also of one that was moved or imported."""
    for item in instances:
        where = (t.generation.c.stack == stack_id, t.generation.c.path == item.path)
        highest = connection.execute(sa.select(t.generation.c.highest).where(*where)).scalar()
        if highest is None:
            connection.execute(t.generation.insert(), {"stack": stack_id, "path": item.path, "highest": item.generation})
        elif highest < item.generation:
            connection.execute(t.generation.update().where(*where).values(highest=item.generation))


def _end_revision(connection: sa.Connection, stack_id: str, number: int, status: str) -> None:
    """How a revision that was under way ended; one that was reached before stays what it was."""
    here = (t.revision.c.stack == stack_id, t.revision.c.number == number, t.revision.c.status == "running")
    connection.execute(t.revision.update().where(*here).values(status=status))


def _revision_row(stack_id: str, revision: RevisionRow, now: float) -> dict[str, Any]:
    return {
        "stack": stack_id, "number": revision.number, "sources": [[s.name, s.text] for s in revision.sources], "template": revision.template,
        "language": revision.language, "parameters": value_to_json(revision.parameters), "desired": desired_to_json(revision.desired),
        "digests": {"moved": moves_of(revision.desired)},
        "status": "running", "created_at": now,
    }  # fmt: skip


def _stack(row: Any) -> StackRow:
    return StackRow(
        row.id, row.name, row.seed, row.host, row.revision, row.last_seq, row.state, row.reason, row.language, row.created_at, row.updated_at,
        row.live_name is not None, row.tags, bool(row.protected), row.policy,
    )  # fmt: skip


def _operation(row: Any) -> OperationRow:
    return OperationRow(
        row.id, row.stack, row.kind, row.from_revision, row.to_revision, row.status, row.owner, row.epoch, row.lease_until, row.options, row.started_at,
        row.finished_at, row.reason, row.plan,
    )  # fmt: skip
