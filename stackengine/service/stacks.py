"""Use cases on stacks: preview, carry out, resume, cancel, and what people look at."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackengine.events import Event
from stackengine.model.desired import Desired, DesiredOutput
from stackengine.model.instance import Instance
from stackengine.model.values import SecretRef, Sensitive, Value, map_leaves
from stackengine.service import guard, hosts, prepare
from stackengine.service.operations import carry_out, resume
from stackengine.service.session import Session
from stackengine.service.types import Preview, Request, ResourceView, ServiceError, StackState, StackSummary, StackView
from stackengine.store.store import StackRow

__all__ = ["cancel", "carry_out", "events", "graph", "ls", "outputs", "preview", "preview_down", "preview_rollback", "resume", "show", "wait"]

FOLLOW_EVERY = 0.2
"""Seconds between two looks at the log."""


def preview(session: Session, request: Request) -> Preview:
    """The plan of ``up``."""
    return prepare.prepare_up(session, request)


def preview_down(session: Session, name: str) -> Preview:
    """The plan of ``down``: to the empty revision."""
    row = prepare.find_stack(session, name)
    guard.check_not_protected(row)
    return prepare.prepare_revision(session, row, 0, "delete")


def preview_rollback(session: Session, name: str, to: int | None = None, *, go_on: bool = False, skip: Sequence[str] = ()) -> Preview:
    """The plan to revision ``to``; None: the current one after a failure, else the one before it.

    ``go_on``: to where a rollback that failed was going; ``skip``: paths that it leaves as they are.
    """
    row = prepare.find_stack(session, name)
    if go_on:
        last = session.store.last_operation(row.id)
        if last is None or last.kind != "rollback" or row.state != "failed":
            raise ServiceError(f"no rollback of {name} has failed", hint=f"stack-run show {name}")
        to = last.to_revision
    if to is None:
        complete = [r["number"] for r in session.store.revisions(row.id) if r["status"] in ("complete", "rolled_back") and r["number"] < row.revision]
        to = row.revision if row.state in ("failed", "running") else max(complete, default=0)
    return prepare.prepare_revision(session, row, to, "rollback", skip)


def cancel(session: Session, name: str, policy: str = "rollback") -> None:
    """Ask the running operation to stop handing out work and then ``rollback`` or ``keep``, or to ``stop`` at once, resumable."""
    row = prepare.find_stack(session, name)
    if not session.store.ask_cancel(row.id, policy):
        raise ServiceError(f"no operation runs on the stack {name}", hint=f"stack-run show {name} says how it stands")


def wait(session: Session, name: str, timeout: float | None = None) -> dict[str, str]:
    """Wait until no operation runs; state of the stack, and kind, status and reason of its last operation. ``timeout`` in seconds."""
    gone = [s for s in session.store.stacks(all_=True) if s.name == name and not s.alive]
    living = session.store.stack(name)
    id_ = gone[-1].id if living is None and gone else prepare.find_stack(session, name).id
    end = time.monotonic() + timeout if timeout else float("inf")
    while True:
        row = session.store.stack_of(id_)
        state, reason = state_of(session, row)
        if state != "running":
            break
        if time.monotonic() >= end:
            raise ServiceError(f"an operation still runs on {name}", hint=f"stack-run events {name} --follow")
        time.sleep(FOLLOW_EVERY)
    last = session.store.last_operation(id_)
    return {
        "state": state, "operation": last.id if last else "", "operation_kind": last.kind if last else "", "status": last.status if last else "",
        "reason": reason,
    }  # fmt: skip


def state_of(session: Session, row: StackRow) -> tuple[StackState, str]:
    """The state as people see it: a running operation whose owner is gone is interrupted."""
    state: Any = row.state
    if state != "running":
        return state, row.reason
    active = session.store.active(row.id)
    if active is not None:
        alive = session.store.ownership(row.id).alive(active.owner)
        if alive or (alive is None and active.lease_until > time.time()):
            return "running", ""
    now = session.store.stack_of(row.id)
    if now.last_seq != row.last_seq:  # it went on after the row was read: an operation that has just ended is neither failed nor interrupted
        return state_of(session, now)
    if active is None:
        return "failed", row.reason
    return "interrupted", f"its owner {active.owner} is gone; say: stack-run resume {row.name}"


def _condition(session: Session, instance: Instance, away: Mapping[str, str]) -> tuple[str, str]:
    """Status and power as they can be known: of what is on a host that does not run nothing is."""
    info = session.registry.get(instance.type)
    if instance.host not in away or info is None or info.handler.inline:
        return instance.status, instance.power
    return "unreachable", "unknown"


def _summary(session: Session, row: StackRow, away: Mapping[str, str]) -> StackSummary:
    """``away``: of the stack's hosts those of which nothing runs, and why."""
    state, reason = state_of(session, row)
    if away and row.revision:
        reason = "; ".join([*([reason] if reason else []), *(away[uri] for uri in sorted(away))])
    last = session.store.last_operation(row.id)
    count = session.store.count_instances(row.id)
    return StackSummary(
        row.name, row.id, state, row.host, row.revision, row.language, count, row.updated_at, last.kind if last else "", reason, row.protected,
        tuple(sorted(away)),
    )  # fmt: skip


def ls(session: Session) -> list[StackSummary]:
    """Every living stack."""
    there = session.store.hosts()
    away = hosts.down(session, set().union(*there.values()))
    return [_summary(session, row, {uri: away[uri] for uri in away.keys() & there.get(row.name, ())}) for row in session.store.stacks()]


def hidden(value: Value) -> Value:
    """``value`` for showing: secrets as Sensitive."""
    return map_leaves(value, lambda v: Sensitive("***") if isinstance(v, (SecretRef, Sensitive)) else v)


def show(session: Session, name: str) -> StackView:
    """A stack with its resources, outputs and revisions."""
    row = prepare.find_stack(session, name)
    recorded = session.store.recorded(row.id)
    revision = session.store.revision(row.id, row.revision)
    resources, away = [], hosts.down(session, {i.host for i in recorded.instances.values() if i.host})
    for instance in sorted(recorded.instances.values(), key=lambda i: (i.path, i.generation)):
        wanted = revision.desired.resources.get(instance.path)
        resources.append(
            ResourceView(
                instance.path, instance.type, wanted.foreign_type if wanted else "", *_condition(session, instance, away), instance.generation,
                instance.physical_id, instance.host, hidden(instance.properties), hidden({**instance.identity, **instance.attributes}),
                tuple(d.path for d in wanted.depends) if wanted else (), instance.protected, instance.external,
            )
        )  # fmt: skip
    return StackView(
        _summary(session, row, away), revision.desired.description, tuple(resources), {n: o.value for n, o in outputs(session, name).items()},
        hidden(revision.parameters), tuple(session.store.revisions(row.id)),
    )  # fmt: skip


def events(session: Session, name: str, since: int = 0, *, follow: bool = False) -> Iterator[Event]:
    """Events after number ``since``; ``follow`` waits for more while an operation runs."""
    row = prepare.find_stack(session, name)
    while True:
        found = session.store.events(row.id, since)
        for event in found:
            since = event.seq
            yield event
        if found:
            continue
        if not follow or session.store.active(row.id) is None:
            return
        time.sleep(FOLLOW_EVERY)


def outputs(session: Session, name: str, *, show_secrets: bool = False) -> dict[str, DesiredOutput]:
    """The outputs of the current revision; secrets are opened only when asked for."""
    from dataclasses import replace

    from stackengine.evaluate import PENDING, EvaluationError, resolve

    row = prepare.find_stack(session, name)
    desired = session.store.revision(row.id, row.revision).desired
    instances = {i.path: i for i in sorted(session.store.recorded(row.id).instances.values(), key=lambda i: (i.sure, i.generation))}
    vault = session.store.vault(row.id)

    def lookup(path: str, attribute: str | None) -> Value:
        instance = instances.get(path)
        if instance is None:
            return PENDING
        if attribute is None:
            return instance.physical_id
        return instance.identity.get(attribute, instance.attributes.get(attribute))

    found = {}
    for output in desired.outputs.values():
        try:
            value = resolve(output.value, lookup, vault)
        except EvaluationError:  # the operation said so when it ended
            value = None
        secret = output.sensitive or any(isinstance(v, SecretRef) for v in _leaves(value))
        shown = map_leaves(value, lambda v: vault.open(v) if isinstance(v, SecretRef) else v) if show_secrets else hidden(value)
        found[output.name] = replace(output, value=Sensitive(shown) if secret and not show_secrets else shown, sensitive=secret)
    return found


def _leaves(value: Value) -> Iterator[Value]:
    from stackengine.model.values import leaves

    return leaves(value)


def graph(session: Session, name: str) -> Desired:
    """The desired state of a stack's current revision, for drawing."""
    row = prepare.find_stack(session, name)
    return session.store.revision(row.id, row.revision).desired
