"""Carries previews out: submit, walk, and by policy roll back; resumes what a dead process left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stackengine.engine import ContextParts, execute
from stackengine.engine.ports import Fenced, Outcome, Policy
from stackengine.events import Event
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.model.instance import Claim, Recorded
from stackengine.planning.plan import Plan
from stackengine.sdk import Cancelled
from stackengine.service import keys, prepare
from stackengine.service.alone import alone
from stackengine.service.prepare import Prepared
from stackengine.service.runner import ThreadRunner
from stackengine.service.session import Session
from stackengine.service.signals import SignalHub
from stackengine.service.types import OnFailure, OperationResult, Preview, ServiceError
from stackengine.store.errors import BusyError, ClaimConflictError, StoreError
from stackengine.store.log import OperationJournal
from stackengine.store.store import OperationRow, StackRow
from stackengine.store.vault import StackVault

Watch = Callable[[Event], None] | None
PLAN_AGAIN = 5
"""How often a plan is made again when others take what it wanted."""


def carry_out(
    session: Session, preview: Preview, *, on_failure: OnFailure = "rollback", keep_going: bool = False, timeout: float | None = None, watch: Watch = None
) -> OperationResult:
    """Carry a preview out as it was shown; planned again only when a claim was given away or the stack moved on."""
    prepared: Prepared = preview.prepared
    row = prepared.stack
    options = {"on_failure": on_failure, "keep_going": keep_going, "timeout": timeout}
    if preview.plan.empty and _is_so_already(session, preview):
        return OperationResult("", preview.kind, "complete", preview.from_revision, outputs=dict(preview.plan.outputs))
    with session.store.ownership(row.id) as lock:
        if not lock.take():
            raise ServiceError(f"an operation runs on the stack {row.name}", hint=f"wait for it, or: stack-run cancel {row.name}")
        row = _recorded_stack(session, preview, prepared)
        operation, journal, preview = _submit(session, preview, row, options, watch)
        run = _Run(session, row, prepared.vault, operation, journal, options)
        return run.go(preview.plan, preview.desired, preview.recorded)


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
            raise ServiceError(str(error), hint=error.hint) from error
        return row
    left = session.store.active(row.id)
    if left is not None:
        session.store.supersede(left)
    return row


def _submit(
    session: Session, preview: Preview, row: StackRow, options: dict[str, Any], watch: Watch
) -> tuple[OperationRow, OperationJournal, Preview]:
    prepared: Prepared = preview.prepared
    for _ in range(PLAN_AGAIN):
        try:
            operation, journal = session.store.submit(
                row, preview.kind, revision=prepared.revision, to_revision=preview.to_revision, claims=preview.plan.claims, options=options,
                vault=prepared.vault, watch=watch, summary=dict(preview.plan.counts()), instances_of=owners(preview.plan),
            )  # fmt: skip
            return operation, journal, preview
        except ClaimConflictError:
            fresh = session.store.stack(row.name)
            row = fresh or row
            recorded = session.store.recorded(row.id)
            host = prepare.open_host_of(session, row)
            plan = prepare.make(session, row, prepared.vault, preview.desired, recorded, host, preview.request)
            if any(d.severity == "error" for d in plan.diagnostics):
                preview.diagnostics.extend(plan.diagnostics)
                raise InvalidTemplateError(preview.diagnostics) from None
            preview = replace(preview, plan=plan, recorded=recorded)
        except (BusyError, StoreError) as error:
            raise ServiceError(str(error), hint=error.hint) from error
    raise ServiceError("others keep taking what this plan wants", hint="try again")


def owners(plan: Plan) -> dict[Claim, str]:
    """Which instance each new claim of a plan is for."""
    return {c: a.instance.id for a in plan.actions.values() if a.verb == "create" for c in a.instance.claims}


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
            raise ServiceError(f"another process resumes {name} just now")
        vault = session.store.vault(row.id)
        journal = session.store.take_over(left, vault, watch)
        operation = replace(left, epoch=left.epoch + 1)
        run = _Run(session, row, vault, operation, journal, left.options)
        return run.toward(left.to_revision)


class _Run:
    """One operation from its first action to its last, a rollback included."""

    def __init__(
        self, session: Session, row: StackRow, vault: StackVault, operation: OperationRow, journal: OperationJournal, options: dict[str, Any]
    ) -> None:
        self._session, self._row, self._vault = session, row, vault
        self._operation, self._journal, self._options = operation, journal, options
        self._start, self._asked = time.monotonic(), operation.kind
        self._stopped = threading.Event()

    def toward(self, number: int) -> OperationResult:
        """Plan again from what is recorded to a revision, and go."""
        desired = self._session.store.revision(self._row.id, number).desired
        recorded = self._session.store.recorded(self._row.id)
        return self.go(self._plan(desired, recorded), desired, recorded)

    def _plan(self, desired: Desired, recorded: Recorded) -> Plan:
        host = prepare.open_host_of(self._session, self._row)
        plan = prepare.make(self._session, self._row, self._vault, desired, recorded, host, None)
        errors = [d for d in plan.diagnostics if d.severity == "error"]
        if errors:
            raise ServiceError("; ".join(d.summary for d in errors))
        self._session.store.claim_more(self._row.id, plan.claims, owners(plan))
        return plan

    def go(self, plan: Plan, desired: Desired, recorded: Recorded) -> OperationResult:
        """Carry ``plan`` out, and act on its outcome."""
        outcome = self._execute(plan, desired, recorded)
        if outcome.status == "complete":
            return self._complete(outcome)
        if outcome.status == "fenced":
            return self._result("fenced", outcome)
        wish = self._journal.cancelled() if outcome.status == "cancelled" else None
        if outcome.status == "cancelled" and wish in (None, "stop"):
            return self._result("cancelled", outcome)
        policy = wish or self._options.get("on_failure", "keep")
        if policy == "keep" or self._operation.kind in ("delete", "rollback"):
            return self._keep(outcome)
        return self._roll_back(outcome, delete=policy == "delete")

    def _execute(self, plan: Plan, desired: Desired, recorded: Recorded) -> Outcome:
        from stackengine.hosts.gates import GateWatcher

        session, runner, gates = self._session, ThreadRunner(), GateWatcher()
        policy = Policy(self._options.get("on_failure", "keep"), bool(self._options.get("keep_going")), self._options.get("timeout"))
        parts = ContextParts(
            self._row.name, self._row.id, session.store.id, self._check, self._sleep, time.monotonic,
            lambda url, sha256: session.images.open_source(url, sha256, self._check),
            lambda name: alone(session.folder / "locks", name, self._check, self._sleep),
            session.allowed,
        )  # fmt: skip
        hub = SignalHub(session.host(self._row.host), plan, recorded, runner.deliver)
        try:
            with hub:
                return execute(
                    plan, desired, recorded, registry=session.registry, hosts=session.host, journal=self._journal, runner=runner, gates=gates,
                    vault=self._vault, parts=parts, policy=policy,
                )  # fmt: skip
        except KeyboardInterrupt:
            return Outcome("cancelled")
        finally:
            self._stopped.set()
            gates.close()
            runner.close()
            self._stopped = threading.Event()

    def _sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Cancelled("stopped")
        if self._journal.lease_over():
            raise Cancelled("this process stood still for too long, and may have lost the operation")

    def _complete(self, outcome: Outcome) -> OperationResult:
        number, kind = self._operation.to_revision, self._operation.kind
        state = "deleted" if kind == "delete" else "rolled_back" if kind == "rollback" else "complete"
        try:
            self._session.store.finish(self._operation, self._journal, status="complete", state=state, revision=number, reason="")
        except Fenced:
            return self._result("fenced", outcome)
        if kind == "delete":
            _remove_folder(self._session, self._row)
        return self._result("complete", outcome)

    def _keep(self, outcome: Outcome) -> OperationResult:
        reason = outcome.failures[0].message if outcome.failures else "cancelled"
        status = "failed" if outcome.failures else "cancelled"
        self._session.store.finish(self._operation, self._journal, status=status, state="failed", revision=None, reason=reason)
        return self._result("rollback_failed" if self._operation.kind == "rollback" else "failed" if outcome.failures else "cancelled", outcome)

    def _roll_back(self, outcome: Outcome, *, delete: bool) -> OperationResult:
        """An ordinary plan to the revision before, in the same operation, so that a crash from here on resumes the rollback."""
        self._operation = self._session.store.turn_back(self._operation, self._journal)
        if delete:
            self._operation = replace(self._operation, to_revision=0)
        desired = self._session.store.revision(self._row.id, self._operation.to_revision).desired
        recorded = self._session.store.recorded(self._row.id)
        self._options = {**self._options, "on_failure": "keep", "timeout": None}
        back = self._execute(self._plan(desired, recorded), desired, recorded)
        reason = outcome.failures[0].message if outcome.failures else "cancelled"
        if back.status != "complete":
            if back.status == "failed":
                self._session.store.finish(self._operation, self._journal, status="failed", state="failed", revision=None, reason=reason)
            return replace(self._result("rollback_failed", outcome), rollback_failures=back.failures)
        number = self._operation.to_revision
        self._session.store.finish(self._operation, self._journal, status="rolled_back", state="rolled_back", revision=number, reason=reason)
        return self._result("rolled_back", outcome)

    def _result(self, status: Any, outcome: Outcome) -> OperationResult:
        kind: Any = self._asked
        elapsed = time.monotonic() - self._start
        return OperationResult(self._operation.id, kind, status, self._operation.to_revision, outcome.failures, (), dict(outcome.outputs), elapsed)


def _remove_folder(session: Session, row: StackRow) -> None:
    import shutil

    shutil.rmtree(keys.folder_of(session.folder, row.id), ignore_errors=True)
    (session.folder / "locks" / f"{row.id}.lock").unlink(missing_ok=True)
