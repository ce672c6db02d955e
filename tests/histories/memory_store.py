"""The store's rules without SQL, for many histories: the same operations, each one transaction with two sides on which the process may end.

What it keeps is what the tables keep: events, instances as the commits gave them, operations, revisions, claims. The real store runs fewer of the same
histories.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from histories.chance import Chance
from stackengine.engine.ports import Fenced
from stackengine.events import Event
from stackengine.model.codec import desired_from_json, desired_to_json, instance_from_json, instance_to_json
from stackengine.model.desired import Desired
from stackengine.model.instance import Claim, Recorded
from stackengine.model.values import SecretRef
from stackengine.store.errors import BusyError, ClaimConflictError
from stackengine.store.store import OperationRow, RevisionRow, StackRow


class MemoryVault:
    """Secrets of one stack; those that no commit made durable are lost with the process."""

    def __init__(self, durable: dict[str, Any]) -> None:
        self._durable, self._new = durable, dict[str, Any]()

    def seal(self, value: Any) -> SecretRef:
        id_ = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
        if id_ not in self._durable:
            self._new[id_] = value
        return SecretRef(id_, 1)

    def open(self, ref: SecretRef) -> Any:
        return self._new[ref.id] if ref.id in self._new else self._durable[ref.id]

    def write(self) -> None:
        self._durable.update(self._new)
        self._new = {}


class FreeLock:
    """Nobody else is there: one process at a time has the store."""

    def take(self) -> bool:
        return True

    def alive(self, owner: str) -> bool:
        return False

    def __enter__(self) -> FreeLock:
        return self

    def __exit__(self, *_: object) -> None:
        return


class MemoryStore:
    """One stack's part of ``store.Store``."""

    id = "lab"
    key = b"k" * 32

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.row: StackRow | None = None
        self.log: list[Event] = []
        self.bodies: dict[str, dict[str, Any]] = {}
        self.generations: dict[str, int] = {}
        self.operations: list[OperationRow] = []
        self.running: str | None = None
        self.cancels: dict[str, str | None] = {}
        self.revisions_: dict[int, tuple[dict[str, Any], str]] = {}
        self.claims: dict[Any, str] = {}
        self.secrets: dict[str, Any] = {}
        self.signals: dict[str, list[dict[str, Any]]] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.chance.place("before commit", host=False)
        yield
        self.chance.place("after commit", host=False)

    # stacks and revisions

    fresh = staticmethod(lambda name, host, language: StackRow(uuid.uuid4().hex, name, os.urandom(32), host, 0, 0, "none", "", language, 0, 0, True))

    def stack(self, name: str) -> StackRow | None:
        return self.row if self.row is not None and self.row.alive else None

    def record(self, stack: StackRow) -> None:
        with self.writing():
            self.row = stack

    def vault(self, stack_id: str) -> MemoryVault:
        return MemoryVault(self.secrets)

    def recorded(self, stack_id: str) -> Recorded:
        instances = [instance_from_json(b) for b in self.bodies.values()]
        return Recorded({i.id: i for i in instances}, dict(self.generations), {}, {h: [dict(s) for s in found] for h, found in self.signals.items()}, {})

    def revision(self, stack_id: str, number: int) -> RevisionRow:
        return RevisionRow(number, desired_from_json(self.revisions_[number][0]) if number else Desired())

    def moves(self, stack_id: str) -> list[tuple[str, str]]:
        return []

    def revisions(self, stack_id: str) -> list[dict[str, Any]]:
        return [{"number": n, "status": s} for n, (_, s) in self.revisions_.items()]

    def shared(self, stack_id: str, number: int) -> dict[str, Any]:
        return {}

    def stacks(self, *, all_: bool = False) -> list[Any]:
        return [self.row] if self.row is not None and self.row.alive else []

    def stack_of(self, stack_id: str) -> StackRow | None:
        return self.row

    def next_revision(self, stack_id: str) -> int:
        return max(self.revisions_, default=0) + 1

    def claims_of_others(self, host: str, stack_id: str) -> dict[Any, str]:
        return {}

    def events(self, stack_id: str, since: int = 0, limit: int = 1000) -> list[Event]:
        return self.log[since : since + limit]

    def made_by(self, row: OperationRow) -> frozenset[str]:
        made = [e for e in self.log if e.kind == "action.begin" and e.verb == "create"]
        return frozenset(e.instance_id for e in made if e.operation == row.id) - {e.instance_id for e in made if e.operation != row.id}

    def ownership(self, stack_id: str) -> FreeLock:
        return FreeLock()

    # operations

    def active(self, stack_id: str) -> OperationRow | None:
        return next((o for o in self.operations if o.id == self.running), None)

    def last_operation(self, stack_id: str) -> OperationRow | None:
        return self.operations[-1] if self.operations else None

    def submit(
        self, stack: StackRow, kind: str, *, revision: Any, to_revision: int, claims: Any, options: Any, vault: Any, watch: Any, summary: Any, instances_of: Any
    ) -> tuple[OperationRow, MemoryJournal]:
        assert self.row is not None
        with self.writing():
            if self.row.last_seq != stack.last_seq:
                raise ClaimConflictError("the stack changed meanwhile")
            if self.running is not None:
                raise BusyError("an operation runs")
            if revision is not None:
                self.revisions_[revision.number] = (json.loads(json.dumps(desired_to_json(revision.desired))), "running")
            self.claims.update({c: instances_of[c] for c in claims})
            id_ = uuid.uuid4().hex
            row = OperationRow(id_, stack.id, kind, stack.revision, to_revision, "running", "me", 1, 0.0, dict(options), 0.0, None, "")
            self.operations.append(row)
            self.running = id_
            self.row = replace(self.row, state="running")
            vault.write()
            stamped = self._append([Event("operation.started", payload={"kind": kind})], id_)
        for event in stamped:
            watch(event)
        return row, MemoryJournal(self, row, vault, watch)

    def _append(self, events: Any, operation: str) -> list[Event]:
        assert self.row is not None
        stamped = []
        for event in events:
            payload = json.loads(json.dumps(event.payload))
            stamped.append(replace(event, payload=payload, seq=len(self.log) + 1, operation=operation, stack=self.row.id))
            self.log.append(stamped[-1])
        self.row = replace(self.row, last_seq=len(self.log))
        return stamped

    def _change(self, id_: str, **values: Any) -> OperationRow:
        at = next(n for n, o in enumerate(self.operations) if o.id == id_)
        self.operations[at] = replace(self.operations[at], **values)
        return self.operations[at]

    def take_over(self, row: OperationRow, vault: Any, watch: Any) -> MemoryJournal:
        with self.writing():
            changed = self._change(row.id, epoch=row.epoch + 1)
            self.cancels[row.id] = None
            self.give_back_claims()
        return MemoryJournal(self, changed, vault, watch)

    def supersede(self, row: OperationRow) -> None:
        with self.writing():
            self._change(row.id, epoch=row.epoch + 1, status="interrupted")
            self.running = None
            self._end_revision(row.to_revision, "interrupted")
            self.give_back_claims()

    def turn_back(self, row: OperationRow, journal: MemoryJournal, to: int) -> OperationRow:
        def also() -> None:
            self._change(row.id, kind="rollback", to_revision=to)
            self.cancels[row.id] = None
            self._end_revision(row.to_revision, "failed")
            self.give_back_claims()

        journal.commit([Event("operation.started", payload={"kind": "rollback"})], {}, also)
        return next(o for o in self.operations if o.id == row.id)

    def _end_revision(self, number: int, status: str) -> None:
        if number in self.revisions_ and self.revisions_[number][1] == "running":
            self.revisions_[number] = (self.revisions_[number][0], status)

    def finish(self, row: OperationRow, journal: MemoryJournal, *, status: str, state: str, revision: int | None, reason: str) -> None:
        def also() -> None:
            assert self.row is not None
            self._change(row.id, status=status)
            self.running = None
            self.row = replace(self.row, state=state, alive=state != "deleted", revision=self.row.revision if revision is None else revision)
            self.give_back_claims()
            if revision in self.revisions_:
                self.revisions_[revision] = (self.revisions_[revision][0], "complete")
            else:
                self._end_revision(row.to_revision, status)

        journal.commit([Event("operation.finished", payload={"status": status})], {}, also)

    def give_back_claims(self) -> None:
        """Claims are those of recorded instances."""
        held = {Claim(*c): id_ for id_, b in self.bodies.items() for c in b["claims"]}
        self.claims = {c: i if i in self.bodies else held[c] for c, i in self.claims.items() if i in self.bodies or c in held}

    def claim_more(self, stack_id: str, claims: Any, instances_of: Any) -> None:
        with self.writing():
            self.claims.update({c: instances_of[c] for c in claims})

    def ask_cancel(self, stack_id: str, policy: str) -> bool:
        if self.running is None:
            return False
        with self.writing():
            self.cancels[self.running] = policy
        return True


class MemoryJournal:
    """``engine.ports.Journal`` on it."""

    def __init__(self, store: MemoryStore, row: OperationRow, vault: MemoryVault, watch: Any) -> None:
        self.store, self.row, self.vault, self.watch = store, row, vault, watch

    def commit(self, events: Any, changed: Any, also: Any = None) -> list[Event]:
        store = self.store
        with store.writing():
            if next(o for o in store.operations if o.id == self.row.id).epoch != self.row.epoch:
                raise Fenced(self.row.id)
            self.vault.write()
            stamped = store._append(events, self.row.id)
            for event in stamped:
                self._signals(event)
                if event.kind == "operation.reached":
                    self._stands()
            for id_, found in changed.items():
                if found is None:
                    store.bodies.pop(id_, None)
                    store.claims = {c: i for c, i in store.claims.items() if i != id_}
                else:
                    store.bodies[id_] = json.loads(json.dumps(instance_to_json(found)))
                    store.generations[found.path] = max(found.generation, store.generations.get(found.path, 0))
            if also is not None:
                also()
        for event in stamped:
            self.watch(event)
        return stamped

    def _stands(self) -> None:
        number = next(o for o in self.store.operations if o.id == self.row.id).to_revision
        assert self.store.row is not None
        self.store.row = replace(self.store.row, revision=number)
        if number in self.store.revisions_:
            self.store.revisions_[number] = (self.store.revisions_[number][0], "complete")

    def _signals(self, event: Event) -> None:
        """Signals are kept as the tables keep them."""
        payload, kept = event.payload, self.store.signals
        if event.kind == "signal.received":
            kept.setdefault(payload["handle"], []).append({k: payload.get(k) for k in ("id", "status", "reason", "data")})
        elif event.kind == "action.begin" and "forgets" in payload:
            kept.pop(payload["forgets"], None)
        elif event.kind == "action.failed" and "spent" in payload:
            left = [s for s in kept.get(payload["spent"], ()) if s["status"] != "FAILURE"]
            kept.pop(payload["spent"], None)
            kept.update({payload["spent"]: left} if left else {})

    def cancelled(self) -> str | None:
        return self.store.cancels.get(self.row.id)

    def lease_over(self) -> bool:
        return False
