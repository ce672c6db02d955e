"""Carries previews out: submit, walk, and by policy roll back; resumes what a dead process left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from stackengine import locks
from stackengine.engine import ContextParts, execute
from stackengine.engine.ports import Failure, Fenced, Outcome, Policy
from stackengine.engine.revision_record import RevisionRecord
from stackengine.events import Event
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.model.instance import Claim, Recorded
from stackengine.planning.moves import Amendment
from stackengine.planning.plan import Plan
from stackengine.sdk import Cancelled
from stackengine.service import guard, inventory, keys, pins, prepare
from stackengine.service.prepare import Prepared
from stackengine.service.session import Session
from stackengine.service.slots import Slots
from stackengine.service.types import OnFailure, OperationResult, PlanMovedError, Preview, ServiceError, StackBusyError
from stackengine.store.errors import BusyError, ClaimConflictError, StoreError
from stackengine.store.log import OperationJournal
from stackengine.store.ownership import Ownership
from stackengine.store.store import OperationRow, StackRow
from stackengine.store.vault import StackVault, seal_seed

Watch = Callable[[Event], None] | None
OVERTAKE_SECONDS = 600.0
"""How long an operation that is overtaken may take to finish what is running."""
PLAN_AGAIN = 5
"""How often a plan is made again when others take what it wanted."""


def carry_out(
    session: Session, preview: Preview, *, on_failure: OnFailure = "rollback", keep_going: bool = False, timeout: float | None = None, watch: Watch = None,
    allow: Collection[str] | None = None, overtake: bool = False,
) -> OperationResult:  # fmt: skip
    """Carry a preview out as it was shown; planned again only when a claim was given away or the stack moved on. Then images are pinned.

    ``allow``: ``replace``, ``delete`` and paths whose data may be lost; None: a person saw the plan and agreed.
    ``overtake``: an operation that runs is asked to hand out no more work, and this one goes on from where it then stands.
    """
    prepared: Prepared = preview.prepared
    result = _carried_out(session, preview, {"on_failure": on_failure, "keep_going": keep_going, "timeout": timeout}, watch, allow, overtake=overtake)
    if result.status == "complete" and prepared.revision is not None:
        pins.write(session, prepared.stack, prepared.revision.template, preview.desired)
    return result


def _carried_out(session: Session, preview: Preview, wish: dict[str, Any], watch: Watch, allow: Collection[str] | None, *, overtake: bool) -> OperationResult:
    prepared: Prepared = preview.prepared
    row = prepared.stack
    if allow is not None and preview.kind != "delete" and not (preview.kind == "rollback" and preview.from_revision == preview.to_revision):
        _check_allowed(session, preview, row, allow)
    if wish["on_failure"] == "delete":
        guard.check_not_protected(row)
    if preview.plan.empty and _is_so_already(session, preview):
        return OperationResult("", preview.kind, "complete", preview.from_revision, outputs=dict(preview.plan.outputs))
    with session.store.ownership(row.id) as lock:
        if not lock.take() and not (overtake and _overtaken(session, row, lock)):
            hint = f"wait for it, or: stack-run cancel {row.name}" + ("" if overtake else ", or: up --overtake")
            raise StackBusyError(f"an operation runs on the stack {row.name}", hint=hint)
        row = _recorded_stack(session, preview, prepared)
        if prepared.before:
            row = _amended(session, row, prepared.before)
        made = {a.path: a.instance.generation for a in preview.plan.actions.values() if a.replaces}
        options = {**wish, **prepared.aim, "since": {**made, **prepare.made_in_vain(session, row)}}
        try:
            operation, journal, preview = _submit(session, preview, row, options, watch, allow)
        except Exception:
            if preview.new_stack:  # nothing was ever done for it
                session.store.drop_unused(row.id)
            raise
        run = _Run(session, row, prepared.vault, operation, journal, options)
        return run.go(preview.plan, preview.desired, preview.recorded)


def _check_allowed(session: Session, preview: Preview, row: StackRow, allow: Collection[str]) -> None:
    """What a plan loses has to be allowed; one that was made beside another operation says nothing of that: its ground is half made."""
    try:
        guard.check_allowed(preview, allow)
    except ServiceError:
        if preview.new_stack:
            raise
        with session.store.ownership(row.id) as lock:
            still = lock.take() and session.store.stack_of(row.id).last_seq == row.last_seq
        if still:
            raise
        hint = f"run the command again, or wait first: stack-run wait {row.name}"
        raise StackBusyError(f"an operation runs on the stack {row.name}, or ran while this was planned", hint=hint) from None


def _amended(session: Session, row: StackRow, before: Amendment) -> StackRow:
    """Write what the plan stands on: renamings, adopted and released objects."""
    try:
        session.store.amend(row, before.events, before.changed, claims=before.claims)
    except (BusyError, ClaimConflictError) as error:
        raise ServiceError(str(error), hint=getattr(error, "hint", "run the command again")) from error
    return session.store.stack_of(row.id)


def _overtaken(session: Session, row: StackRow, lock: Ownership) -> bool:
    """Ask the running operation to end, and wait until it has; whether it did."""
    end = session.hands.monotonic() + OVERTAKE_SECONDS
    while session.hands.monotonic() < end:
        session.store.ask_cancel(row.id, "keep")
        if lock.take():
            return True
        time.sleep(0.1)
    return False


def _is_so_already(session: Session, preview: Preview) -> bool:
    """Whether there is nothing to do and nothing to record: the same desired state, reached before."""
    row: StackRow = preview.prepared.stack
    if preview.new_stack or preview.kind == "delete" or row.state not in ("complete", "rolled_back"):
        return False
    return session.store.revision(row.id, row.revision).desired == preview.desired


def _recorded_stack(session: Session, preview: Preview, prepared: Prepared) -> StackRow:
    """The stack's row, recorded now if it is new; what a dead process left of another operation is superseded."""
    row = prepared.stack
    if prepared.keys is not None:
        keys.save(session.folder, row.id, prepared.keys)
    if preview.new_stack:
        try:
            session.store.record(row)
        except BusyError as error:
            raise StackBusyError(str(error), hint=error.hint) from error
        return row
    if session.store.stack_of(row.id).tags.get("restoring"):
        raise ServiceError(f"a restore of {row.name} was not finished", hint=f"stack-run resume {row.name}")
    left = session.store.active(row.id)
    if left is not None:
        if _elsewhere(left) and left.lease_until > time.time():
            raise StackBusyError(f"an operation runs on the stack {row.name} ({left.owner})", hint=f"wait for it, or: stack-run cancel {row.name}")
        session.store.supersede(left)
    return row


def _elsewhere(operation: OperationRow) -> bool:
    """Whether the owner is on another machine, where only the lease tells whether it lives."""
    return operation.owner.rpartition(":")[0] != Ownership.me().rpartition(":")[0]


def _submit(
    session: Session, preview: Preview, row: StackRow, options: dict[str, Any], watch: Watch, allow: Collection[str] | None
) -> tuple[OperationRow, OperationJournal, Preview]:
    for _ in range(PLAN_AGAIN):
        prepared: Prepared = preview.prepared
        try:
            operation, journal = session.store.submit(
                row, preview.kind, revision=prepared.revision, to_revision=preview.to_revision, claims=preview.plan.claims, options=options,
                vault=prepared.vault, watch=watch, summary=dict(preview.plan.counts()), instances_of=owners(preview.plan),
            )  # fmt: skip
            return operation, journal, preview
        except ClaimConflictError:
            shown, preview = preview, _planned_again(session, preview)
            guard.check_no_stronger(shown, preview, allow)
            row = preview.prepared.stack
        except BusyError as error:
            raise StackBusyError(str(error), hint=error.hint) from error
        except StoreError as error:
            raise ServiceError(str(error), hint=error.hint) from error
    raise ServiceError("others keep taking what this plan wants", hint="try again")


def _planned_again(session: Session, preview: Preview) -> Preview:
    """The same wish on the ground as it is now: the stack moved on, or somebody else took what the plan wanted."""
    prepared: Prepared = preview.prepared
    row = session.store.stack(preview.stack)
    if row is None or row.id != prepared.stack.id:
        raise ServiceError(f"the stack {preview.stack} was deleted meanwhile", hint="run the command again")
    row = replace(row, host=prepared.stack.host)
    recorded = session.store.recorded(row.id)
    host, back = prepare.open_host_of(session, row), preview.kind in ("rollback", "delete")
    desired, chosen_on = preview.desired, None
    if preview.request is not None and preview.request.remap:
        desired, chosen_on = prepare.with_free_ranges(session, row, desired, recorded, preview.diagnostics, remap=True)
        if desired is not preview.desired:
            raise PlanMovedError("a range of the plan was given to another stack just now", hint="run the command again: it takes another range")
    plan = prepare.make(session, row, prepared.vault, desired, recorded, host, prepared.aim, returning=back, chosen_on=chosen_on)
    if preview.diagnostics.errors or any(d.severity == "error" for d in plan.diagnostics):
        preview.diagnostics.extend(plan.diagnostics)
        raise InvalidTemplateError(preview.diagnostics)
    revision, number = prepared.revision, preview.to_revision
    if revision is not None:
        number = session.store.next_revision(row.id)
        revision = replace(revision, number=number)
    kind = ("update" if row.revision else "create") if preview.kind in ("create", "update") else preview.kind
    return replace(
        preview, plan=plan, recorded=recorded, kind=kind, from_revision=row.revision, to_revision=number,
        prepared=replace(prepared, stack=row, revision=revision),
    )  # fmt: skip


def owners(plan: Plan) -> dict[Claim, str]:
    """Which instance each new claim of a plan is for."""
    return {c: a.instance.id for a in plan.actions.values() for c in a.new_claims}


def resume(session: Session, name: str, watch: Watch = None) -> OperationResult | None:
    """Finish what an operation whose owner is gone began; None when there is nothing to resume."""
    row = prepare.find_stack(session, name)
    left = session.store.active(row.id)
    if left is None:
        return None
    lock = session.store.ownership(row.id)
    alive = lock.alive(left.owner)
    if alive or (alive is None and left.lease_until > time.time()):
        raise ServiceError(f"the operation on {name} is alive ({left.owner})", hint=f"stack-run events {name} --follow")
    with lock:
        if not lock.take():
            raise ServiceError(f"another process resumes {name} just now", hint=f"stack-run events {name} --follow")
        vault = session.store.vault(row.id)
        try:
            journal = session.store.take_over(left, vault, watch)
        except BusyError as error:
            raise ServiceError(str(error), hint=error.hint) from error
        operation = replace(left, epoch=left.epoch + 1)
        return _Run(session, row, vault, operation, journal, left.options).again()


class _Run:
    """One operation from its first action to its last, a rollback included."""

    def __init__(
        self, session: Session, row: StackRow, vault: StackVault, operation: OperationRow, journal: OperationJournal, options: dict[str, Any]
    ) -> None:
        self._session, self._row, self._vault = session, row, vault
        self._operation, self._journal, self._options = operation, journal, options
        self._start, self._asked = session.hands.monotonic(), operation.kind

    def again(self) -> OperationResult:
        """Plan again from what is recorded to the operation's revision, and go."""
        desired, recorded = self._aim()
        return self.go(self._plan(desired, recorded), desired, recorded)

    def _aim(self) -> tuple[Desired, Recorded]:
        store = self._session.store
        desired = store.revision(self._row.id, self._operation.to_revision).desired
        recorded, before = prepare.moved(self._session, self._row, store.recorded(self._row.id), desired)
        if before:
            self._journal.commit(before.events, before.changed)
            store.claim_more(self._row.id, list(before.claims), before.claims)
        return desired, recorded

    def _plan(self, desired: Desired, recorded: Recorded) -> Plan:
        host = prepare.open_host_of(self._session, self._row)
        for _ in range(PLAN_AGAIN):
            back = self._operation.kind in ("rollback", "delete")
            undoing = self._session.store.made_by(self._operation) if self._operation.kind == "rollback" else frozenset()
            plan = prepare.make(self._session, self._row, self._vault, desired, recorded, host, self._options, returning=back, undoing=undoing)
            errors = [d for d in plan.diagnostics if d.severity == "error"]
            if errors:
                raise ServiceError("; ".join(d.summary for d in errors), hint=errors[0].hint)
            try:
                self._session.store.claim_more(self._row.id, plan.claims, owners(plan))
            except ClaimConflictError:
                continue
            return plan
        raise ServiceError("others keep taking what this plan wants", hint="try again")

    def go(self, plan: Plan, desired: Desired, recorded: Recorded) -> OperationResult:
        """Carry ``plan`` out, and act on its outcome."""
        outcome = Outcome("fenced")
        try:
            outcome = self._execute(plan, desired, recorded)
            return self._conclude(plan, outcome)
        except Fenced:
            return self._result("fenced", outcome)

    def _conclude(self, plan: Plan, outcome: Outcome) -> OperationResult:
        if outcome.status == "complete":
            return self._complete(outcome)
        if outcome.status == "fenced":
            return self._result("fenced", outcome)
        wish = self._journal.cancelled() if outcome.status == "cancelled" else None
        if outcome.status == "cancelled" and wish in (None, "stop"):
            return self._result("cancelled", outcome)
        policy = wish or self._options.get("on_failure", "keep")
        if self._operation.kind != "delete" and outcome.not_run and all(plan.actions[i].phase == "tail" for i in outcome.not_run):
            return self._keep(outcome, self._operation.to_revision)  # past the point of no return: what is left to do is to clean up
        if policy == "keep" or self._operation.kind in ("delete", "rollback", "repair"):
            return self._keep(outcome, None)
        return self._roll_back(outcome, delete=policy == "delete")

    def _execute(self, plan: Plan, desired: Desired, recorded: Recorded) -> Outcome:
        session, hands, stopped = self._session, self._session.hands, threading.Event()
        runner, gates = hands.runner(Slots(inventory.limits(session), session.folder / "locks")), hands.gates()
        policy = Policy(self._options.get("on_failure", "keep"), bool(self._options.get("keep_going")), self._options.get("timeout"))

        def check() -> None:
            if stopped.is_set():
                raise Cancelled("stopped")
            if self._journal.lease_over():
                raise Cancelled("this process stood still for too long, and may have lost the operation")

        def sleep(seconds: float) -> None:
            stopped.wait(seconds)

        parts = ContextParts(
            self._row.name, self._row.id, session.store.id, check, sleep, hands.monotonic,
            lambda url, sha256: session.images.open_source(url, sha256, check),
            lambda name: locks.alone(locks.named(session.folder / "locks", name), check, sleep),
            session.allowed, inventory.underlays(session), seal_seed(session.store.key, self._row.id, self._row.seed),
            RevisionRecord(self._operation.to_revision, self._row.language, desired, lambda t: session.registry.types[t].handler.carries),
        )  # fmt: skip
        try:
            hosts = {a.instance.host for a in plan.actions.values() if a.verb != "retain"} - {self._row.host, ""}
            others = [session.host(uri) for uri in sorted(hosts)]
            with hands.signals(session.host(self._row.host), plan, recorded, runner.deliver, others):
                return execute(
                    plan, desired, recorded, registry=session.registry, hosts=session.host, journal=self._journal, runner=runner, gates=gates,
                    vault=self._vault, parts=parts, policy=policy,
                )  # fmt: skip
        except KeyboardInterrupt:
            return Outcome("cancelled")
        finally:
            stopped.set()  # for good: a handler that is still at work starts no further host call, whatever this operation does next
            gates.close()
            runner.close()

    def _complete(self, outcome: Outcome) -> OperationResult:
        number, kind = self._operation.to_revision, self._operation.kind
        state = "deleted" if kind == "delete" else "rolled_back" if kind == "rollback" else "complete"
        self._session.store.finish(self._operation, self._journal, status="complete", state=state, revision=number, reason="")
        if kind == "delete":
            _remove_folder(self._session, self._row)
        return self._result("complete", outcome)

    def _keep(self, outcome: Outcome, revision: int | None) -> OperationResult:
        """Everything stays as it is; ``revision`` is the one that was reached all the same."""
        reason = outcome.failures[0].message if outcome.failures else "cancelled"
        status = "failed" if outcome.failures else "cancelled"
        self._session.store.finish(self._operation, self._journal, status=status, state="failed", revision=revision, reason=reason)
        return self._result("rollback_failed" if self._operation.kind == "rollback" else "failed" if outcome.failures else "cancelled", outcome)

    def _roll_back(self, outcome: Outcome, *, delete: bool) -> OperationResult:
        """An ordinary plan to the revision that stands, in the same operation, so that a crash from here on resumes the rollback."""
        store, reason = self._session.store, outcome.failures[0].message if outcome.failures else "cancelled"
        self._operation = store.turn_back(self._operation, self._journal, 0 if delete else store.stack_of(self._row.id).revision)
        desired, recorded = self._aim()
        self._options = {**self._options, "on_failure": "keep", "timeout": None}
        try:
            back = self._execute(self._plan(desired, recorded), desired, recorded)
        except ServiceError as error:
            back = Outcome("failed", (Failure("", str(error), error.hint),))
        if back.status == "fenced":
            return self._result("fenced", outcome)
        if back.status != "complete":
            if back.status == "failed" or self._journal.cancelled() not in (None, "stop"):
                store.finish(self._operation, self._journal, status="failed", state="failed", revision=None, reason=reason)
            return replace(self._result("rollback_failed", outcome), rollback_failures=back.failures)
        number = self._operation.to_revision
        store.finish(self._operation, self._journal, status="rolled_back", state="rolled_back", revision=number, reason=reason)
        return self._result("rolled_back", outcome)

    def _result(self, status: Any, outcome: Outcome) -> OperationResult:
        kind: Any = self._asked
        elapsed = self._session.hands.monotonic() - self._start
        return OperationResult(self._operation.id, kind, status, self._operation.to_revision, outcome.failures, (), dict(outcome.outputs), elapsed)


def _remove_folder(session: Session, row: StackRow) -> None:
    import shutil

    from stackengine.service.environments import cuts

    shutil.rmtree(keys.folder_of(session.folder, row.id), ignore_errors=True)
    if row.tags.get(cuts.HELD):
        cuts.sweep(session)
    (session.folder / "locks" / f"{row.id}.lock").unlink(missing_ok=True)
