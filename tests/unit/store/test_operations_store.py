"""The store: fenced commits, one operation per stack, unique claims, dense event numbers, ownership that dies with its process."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from stackengine.engine import journal as fold
from stackengine.engine.ports import Fenced
from stackengine.events import Event
from stackengine.model.codec import instance_to_json
from stackengine.model.desired import Desired
from stackengine.model.instance import Claim, Instance
from stackengine.store import tables as t
from stackengine.store.errors import BusyError, ClaimConflictError, StoreError
from stackengine.store.log import OperationJournal
from stackengine.store.ownership import Ownership
from stackengine.store.store import OperationRow, RevisionRow, StackRow, Store

BRIDGE = Claim("lab://", "bridge", "br0")


@pytest.fixture
def store(any_database: str, tmp_path: Path) -> Iterator[Store]:
    made = Store(any_database, tmp_path)
    yield made
    made.close()


def recorded(store: Store, name: str = "one") -> StackRow:
    store.record(store.fresh(name, "lab://", "hot"))
    found = store.stack(name)
    assert found is not None
    return found


def submit(store: Store, stack: StackRow, *, claims: tuple[Claim, ...] = (), number: int = 1, **more: Any) -> tuple[OperationRow, OperationJournal]:
    plain: dict[str, Any] = {
        "revision": RevisionRow(number, Desired(), "hot"), "to_revision": number, "claims": claims, "options": {}, "vault": store.vault(stack.id),
        "watch": None, "summary": {}, "instances_of": dict.fromkeys(claims, "net@1"),
    }  # fmt: skip
    return store.submit(stack, "create", **{**plain, **more})


def begun(path: str = "net", *claims: Claim) -> tuple[Event, Instance]:
    new = Instance(path, 1, "Lab::Thing", {"physical_id": f"{path}-x"}, {}, host="lab://", claims=claims)
    return Event("action.begin", path, 1, "create", {"instance": instance_to_json(new)}), fold.begun(None, "create", new)


def test_numbers_of_events_are_dense_and_run_per_stack(store: Store) -> None:
    one, other = recorded(store, "one"), recorded(store, "other")
    journals = [submit(store, one)[1], submit(store, other)[1]]
    for n in range(5):
        for journal in journals:
            journal.commit([Event("action.progress", "x", 1, payload={"n": n})] * (n + 1), {})
    for stack in (one, other):
        found = store.events(stack.id)
        assert [e.seq for e in found] == list(range(1, 17))
        assert {e.stack for e in found} == {stack.id}
    assert store.events(one.id, since=15)[0].seq == 16


def test_what_only_one_operation_made(store: Store) -> None:
    stack = recorded(store)
    first, journal = submit(store, stack)
    (net, instance), (web, server) = begun("net"), begun("web")
    journal.commit([net], {instance.id: instance})
    store.finish(first, journal, status="failed", state="failed", revision=None, reason="")
    second, journal = submit(store, store.stack_of(stack.id) or stack, number=2)
    journal.commit([net, web], {instance.id: instance, server.id: server})
    assert store.made_by(second) == {"web@1"}, "what it made again was there before"


def test_an_old_owner_writes_nothing(store: Store) -> None:
    stack = recorded(store)
    row, old = submit(store, stack)
    new = store.take_over(row, store.vault(stack.id), None)
    event, instance = begun()
    with pytest.raises(Fenced):
        old.commit([event], {instance.id: instance})
    with pytest.raises(Fenced):
        old.cancelled()
    with pytest.raises(Fenced):
        store.finish(row, old, status="complete", state="complete", revision=1, reason="")
    with pytest.raises(Fenced):
        store.turn_back(row, old, 0)
    assert store.recorded(stack.id).instances == {}
    assert [e.kind for e in store.events(stack.id)] == ["operation.started"]
    new.commit([event], {instance.id: instance})
    assert store.recorded(stack.id).instances == {"net@1": instance}


def test_who_comes_second_to_take_over_is_told(store: Store) -> None:
    stack = recorded(store)
    row, _ = submit(store, stack)
    store.take_over(row, store.vault(stack.id), None)
    with pytest.raises(BusyError):
        store.take_over(row, store.vault(stack.id), None)


def test_one_operation_per_stack_by_the_schema(store: Store) -> None:
    stack = recorded(store)
    row, _ = submit(store, stack)
    fresh = store.stack("one")
    assert fresh is not None
    with pytest.raises(BusyError):
        submit(store, fresh, number=2)
    copy = {"id": "second", "stack": stack.id, "active_stack": stack.id, "kind": "update", "from_revision": 0, "to_revision": 1, "options": {}, "plan": {},
            "status": "running", "owner": "x", "epoch": 1, "lease_until": 0.0, "reason": "", "queue": "", "started_at": 0.0}  # fmt: skip
    with pytest.raises(StoreError) as caught, store.database.writing() as connection:
        connection.execute(t.operation.insert(), copy)
    assert isinstance(caught.value.__cause__, IntegrityError)
    active = store.active(stack.id)
    assert active is not None
    assert active.id == row.id


def test_a_plan_made_before_something_happened_is_refused(store: Store) -> None:
    stack = recorded(store)
    row, journal = submit(store, stack)
    store.finish(row, journal, status="complete", state="complete", revision=1, reason="")
    with pytest.raises(ClaimConflictError):
        submit(store, stack, number=2)
    assert store.active(stack.id) is None
    assert store.next_revision(stack.id) == 2


def test_a_claim_is_given_to_one_stack(store: Store) -> None:
    one, other = recorded(store, "one"), recorded(store, "other")
    submit(store, one, claims=(BRIDGE,))
    assert set(store.claims_of_others("lab://", other.id)) == {BRIDGE}
    assert store.claims_of_others("lab://", one.id) == {}
    with pytest.raises(ClaimConflictError):
        submit(store, other, claims=(BRIDGE,))
    assert store.active(other.id) is None, "the whole transaction is undone"
    assert store.next_revision(other.id) == 1
    with pytest.raises(ClaimConflictError):
        store.claim_more(other.id, (BRIDGE,), {BRIDGE: "net@1"})


def test_what_was_claimed_for_an_object_that_never_came_is_free_again(store: Store) -> None:
    stack, came = recorded(store), Claim("lab://", "mac", "52:54:00:00:00:01")
    row, journal = submit(store, stack, claims=(BRIDGE, came), instances_of={BRIDGE: "net@1", came: "port@1"})
    event, instance = begun("port", came)
    journal.commit([event], {instance.id: instance})
    store.finish(row, journal, status="failed", state="failed", revision=None, reason="")
    assert set(store.claims_of_others("lab://", "somebody else")) == {came}


def test_a_claim_goes_with_its_instance(store: Store) -> None:
    stack = recorded(store)
    _, journal = submit(store, stack, claims=(BRIDGE,))
    event, instance = begun("net", BRIDGE)
    journal.commit([event], {instance.id: instance})
    journal.commit([Event("action.done", "net", 1, "delete")], {instance.id: None})
    assert store.claims_of_others("lab://", "somebody else") == {}
    assert store.recorded(stack.id).generations == {"net": 1}


def test_a_claim_that_went_to_a_successor_that_never_came_is_its_holders_again(store: Store) -> None:
    stack = recorded(store)
    row, journal = submit(store, stack, claims=(BRIDGE,))
    event, instance = begun("net", BRIDGE)
    journal.commit([event], {instance.id: instance})
    store.claim_more(stack.id, (BRIDGE,), {BRIDGE: "net@2"})
    store.supersede(row)
    with store.database.reading() as connection:
        assert connection.execute(sa.select(t.claim.c.instance)).scalars().all() == ["net@1"]


def test_the_end_of_an_operation_is_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = recorded(store)
    row, journal = submit(store, stack)

    def broken(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("stackengine.store.claims.give_back", broken)
    with pytest.raises(StoreError):
        store.finish(row, journal, status="complete", state="complete", revision=1, reason="")
    assert [e.kind for e in store.events(stack.id)] == ["operation.started"]
    assert store.active(stack.id) is not None


def test_a_revision_that_was_reached_stays_complete_when_a_rollback_to_it_fails(store: Store) -> None:
    stack = recorded(store)
    row, journal = submit(store, stack)
    store.finish(row, journal, status="complete", state="complete", revision=1, reason="")
    fresh = store.stack("one")
    assert fresh is not None
    row, journal = submit(store, fresh, number=2)
    row = store.turn_back(row, journal, 1)
    store.finish(row, journal, status="failed", state="failed", revision=None, reason="x")
    assert {r["number"]: r["status"] for r in store.revisions(stack.id)} == {1: "complete", 2: "failed"}


def test_secrets_are_durable_with_the_commit_and_not_before(store: Store) -> None:
    stack = recorded(store)
    vault = store.vault(stack.id)
    _, journal = submit(store, stack, vault=vault)
    ref = vault.seal("hush")
    assert vault.seal("hush") == ref
    with pytest.raises(StoreError):
        store.vault(stack.id).open(ref)
    journal.commit([Event("action.progress", "x", 1)], {})
    assert store.vault(stack.id).open(ref) == "hush"
    with store.database.reading() as connection:
        assert b"hush" not in connection.execute(sa.select(t.secret.c.ciphertext)).scalar_one()


def test_many_writers_lose_nothing(store: Store) -> None:
    stacks = [recorded(store, f"s{n}") for n in range(4)]
    journals = [submit(store, s)[1] for s in stacks]

    def write(journal: OperationJournal) -> None:
        for n in range(20):
            journal.commit([Event("action.progress", "x", 1, payload={"n": n})], {})

    threads = [threading.Thread(target=write, args=(j,)) for j in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stack in stacks:
        assert [e.seq for e in store.events(stack.id)] == list(range(1, 22))


def test_ownership_is_one_process_and_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "locks" / "s.lock"
    mine, other = Ownership(file), Ownership(file)
    assert mine.take()
    assert not other.take()
    assert other.alive(Ownership.me())
    assert other.alive("elsewhere:1") is None
    mine.free()
    assert other.alive(Ownership.me()) is False
    child = multiprocessing.get_context("fork").Process(target=_take_and_die, args=(file,))
    child.start()
    child.join(20)
    assert child.exitcode == 9
    assert other.take(), "the kernel dropped the lock with its owner"


def _take_and_die(file: Path) -> None:
    lock = Ownership(file)
    os._exit(9 if lock.take() else 1)
