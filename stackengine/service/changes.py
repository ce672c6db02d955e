"""Change sets: a plan is saved under an id, looked at, and carried out later only if the ground has not moved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from stackengine.events import Event
from stackengine.model.codec import desired_from_json, desired_to_json, instance_to_json, value_from_json, value_to_json
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError, did_you_mean
from stackengine.model.instance import Recorded
from stackengine.model.template import Source
from stackengine.planning.plan import Plan
from stackengine.service import keys, prepare
from stackengine.service.operations import carry_out
from stackengine.service.prepare import Prepared
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, OnFailure, OperationKind, OperationResult, Preview, ServiceError
from stackengine.store.changes import ChangeSetRow
from stackengine.store.store import RevisionRow, StackRow


def create(session: Session, preview: Preview, shown: dict[str, Any], name: str = "") -> ChangeSetRow:
    """Save a preview; ``shown`` is the plan as people saw it."""
    prepared: Prepared = preview.prepared
    row, revision = prepared.stack, prepared.revision
    saved = ChangeSetRow(
        name, row.id, row.name, preview.kind, digest(preview.plan), preview.to_revision, shown, {"aim": dict(prepared.aim)},
        _stack_to_json(row) if preview.new_stack else None, _revision_to_json(revision) if revision is not None else None,
    )  # fmt: skip
    if prepared.keys is not None:
        keys.save(session.folder, row.id, prepared.keys)
    return find(session, session.store.change_sets.add(saved, prepared.vault.take_new()))


def find(session: Session, word: str) -> ChangeSetRow:
    """A change set by id, its beginning, its name, or a file that ``plan --out`` wrote."""
    file = Path(word)
    if file.is_file():
        try:
            word = str(json.loads(file.read_text("utf-8"))["id"])
        except (ValueError, KeyError, TypeError, OSError):
            raise ServiceError(f"{file} is no saved plan", hint="stack-run plan TEMPLATE --out FILE writes one", exit_code=2) from None
    found = session.store.change_sets.find(word)
    if found is None:
        known = [c.id for c in session.store.change_sets.all()]
        raise NotThereError(f"there is no change set {word}", hint=did_you_mean(word, known) or "stack-run changeset ls")
    return found


def discard(session: Session, saved: ChangeSetRow) -> None:
    """Take it out of use."""
    if not session.store.change_sets.end(saved.id, "discarded"):
        raise ServiceError(f"the change set {saved.id} is {saved.status}", hint="stack-run changeset ls lists those that are saved")


def preview_of(session: Session, saved: ChangeSetRow) -> Preview:
    """The plan of a change set, made again; ServiceError (X206) when it says something else than what was saved."""
    if saved.status != "saved":
        raise ServiceError(f"the change set {saved.id} is {saved.status}" + (f": {saved.reason}" if saved.reason else ""), hint="make a new one")
    row, known = _row_of(session, saved)
    vault = session.store.vault(row.id)
    revision = _revision_from_json(saved.revision) if saved.revision is not None else None
    try:
        desired = revision.desired if revision else session.store.revision(row.id, saved.to_revision).desired
    except KeyError:
        raise ServiceError(f"revision {saved.to_revision} of {row.name} is gone", hint="make a new one: stack-run plan TEMPLATE --save") from None
    kind: OperationKind = saved.kind  # type: ignore[assignment]  # it was one when it was saved
    recorded = session.store.recorded(row.id) if known else Recorded()
    number = session.store.next_revision(row.id) if revision is not None and known else saved.to_revision
    try:
        preview = prepare.plan_to(session, row, vault, desired, recorded, kind, number, Diagnostics(), aim=saved.request["aim"])
    except InvalidTemplateError as error:
        raise _moved(session, saved, "; ".join(d.summary for d in error.diagnostics.errors)) from error
    if digest(preview.plan) != saved.ground:
        raise _moved(session, saved, _difference(saved, preview.plan))
    if revision is not None:
        revision = replace(revision, number=number)
    return replace(preview, new_stack=not known, prepared=Prepared(row, vault, revision, aim=saved.request["aim"]))


def execute(
    session: Session, saved: ChangeSetRow, preview: Preview, *, on_failure: OnFailure = "rollback", keep_going: bool = False,
    timeout: float | None = None, watch: Callable[[Event], None] | None = None, allow: Collection[str] | None = None,
) -> OperationResult:  # fmt: skip
    """Carry a change set out, once; one that could not be begun is saved as before. ``allow``: see :func:`carry_out`."""
    stack = preview.prepared.stack.id
    before = session.store.last_operation(stack)
    if not session.store.change_sets.end(saved.id, "executed"):
        raise ServiceError(f"the change set {saved.id} was taken out of use meanwhile", hint="stack-run changeset ls lists those that are saved")
    try:
        return carry_out(session, preview, on_failure=on_failure, keep_going=keep_going, timeout=timeout, watch=watch, allow=allow)
    except Exception:
        now = session.store.last_operation(stack)
        if (now.id if now else "") == (before.id if before else ""):
            session.store.change_sets.put_back(saved.id)
        raise


def digest(plan: Plan) -> str:
    """What a plan does, in 32 characters: equal when it does the same to the same objects in the same order."""
    said = [
        [a.id, a.phase, a.of, instance_to_json(a.instance), [[c.prop, value_to_json(c.old), value_to_json(c.new)] for c in a.changes],
         sorted((e.action, e.need) for e in a.after)]
        for a in plan.actions.values()
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(sorted(said, key=lambda s: str(s[0])), sort_keys=True).encode()).hexdigest()[:32]


def _row_of(session: Session, saved: ChangeSetRow) -> tuple[StackRow, bool]:
    row = session.store.stack(saved.stack_name)
    if row is not None and row.id == saved.stack:
        return row, True
    if row is not None or saved.fresh is None:
        raise _moved(session, saved, f"there is another stack {saved.stack_name} now" if row else f"the stack {saved.stack_name} is gone")
    return StackRow(**{**saved.fresh, "seed": bytes.fromhex(saved.fresh["seed"])}), False


def _moved(session: Session, saved: ChangeSetRow, why: str) -> ServiceError:
    session.store.change_sets.end(saved.id, "stale", why)
    return ServiceError(f"X206: the ground has moved since the change set {saved.id} was saved: {why}", hint="make a new one: stack-run plan TEMPLATE --save")


def _difference(saved: ChangeSetRow, now: Plan) -> str:
    before = {a["id"] for a in saved.shown.get("actions", ())}
    new, gone = sorted(now.actions.keys() - before), sorted(before - now.actions.keys())
    parts = [f"also {', '.join(new)}" if new else "", f"no longer {', '.join(gone)}" if gone else ""]
    return "; ".join(p for p in parts if p) or "the same actions would do something else"


def _stack_to_json(row: StackRow) -> dict[str, Any]:
    return {**asdict(row), "seed": row.seed.hex()}


def _revision_to_json(revision: RevisionRow) -> dict[str, Any]:
    return {
        "number": revision.number, "desired": desired_to_json(revision.desired), "language": revision.language, "template": revision.template,
        "sources": [[s.name, s.text] for s in revision.sources], "parameters": value_to_json(revision.parameters),
    }  # fmt: skip


def _revision_from_json(data: dict[str, Any]) -> RevisionRow:
    return RevisionRow(
        data["number"], desired_from_json(data["desired"]), data["language"], data["template"], tuple(Source(n, t) for n, t in data["sources"]),
        value_from_json(data["parameters"]),
    )  # fmt: skip
