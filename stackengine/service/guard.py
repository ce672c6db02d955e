"""Safety: what an operation may not do without a further word, and the words (protect, unprotect, stack policies)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stackengine.events import Event
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.instance import Instance
from stackengine.planning.protection import losses, policy_problems
from stackengine.service.session import Session
from stackengine.service.sources import read_text
from stackengine.service.types import NotThereError, Preview, ServiceError
from stackengine.store.errors import BusyError

if TYPE_CHECKING:
    from stackengine.store.store import StackRow

ALLOWED = ("replace", "delete")
"""Words of ``--allow``; everything else in it is a path."""


def check_allowed(preview: Preview, allow: Collection[str]) -> None:
    """ServiceError (X205) when the plan deletes or replaces what holds data and ``allow`` names neither how nor which."""
    lost = [loss for loss in losses(preview.plan) if loss.how not in allow and loss.path not in allow]
    if not lost:
        return
    said = ", ".join(f"{loss.how} {loss.path} ({loss.type}: {loss.reason})" for loss in lost)
    words = ",".join(sorted({loss.how for loss in lost}))
    hint = f"if that is what you want: --allow {words}, or --allow {','.join(loss.path for loss in lost)}"
    raise ServiceError(f"X205: this would {said}; what it holds would be lost, and --yes alone does not do that", hint=hint, exit_code=2)


def check_no_stronger(shown: Preview, now: Preview, allow: Collection[str] | None) -> None:
    """ServiceError when a plan that had to be made again loses more than the one that was shown, and nobody allowed that."""
    if now.kind != "delete":
        check_allowed(now, {*(allow or ()), *(loss.path for loss in losses(shown.plan))})


def check_not_protected(row: StackRow) -> None:
    """ServiceError (X204) when the whole stack is protected."""
    if row.protected:
        raise ServiceError(f"X204: the stack {row.name} is protected", hint=f"stack-run unprotect {row.name}")


def protect(session: Session, row: StackRow, paths: Sequence[str], *, on: bool) -> list[str]:
    """Protect the stack, or some of its resources (or lift that); returns what changed. Stored with the objects, so that no template can forget it."""
    if not paths:
        changed = [row.name] if row.protected != on else []
        _amend(session, row, [Event("stack.protected", payload={"protected": on})], {}, {"protected": on})
        return changed
    recorded = session.store.recorded(row.id)
    events, instances = [], dict[str, Instance | None]()
    for path in paths:
        found = list(recorded.of(path))
        if not found:
            known = {i.path for i in recorded.instances.values()}
            raise NotThereError(f"{row.name} has no resource {path}", hint=did_you_mean(path, known) or f"stack-run show {row.name}")
        for instance in found:
            if instance.protected != on:
                events.append(Event("instance.protected", path, instance.generation, "", {"protected": on}))
                instances[instance.id] = replace(instance, protected=on)
    if events:
        _amend(session, row, events, instances)
    return sorted({e.path for e in events})


def set_policy(session: Session, row: StackRow, policy: dict[str, Any] | None) -> None:
    """Give the stack a policy, or take it away."""
    _amend(session, row, [Event("stack.policy", payload={"policy": policy})], {}, {"policy": policy})


SHAPE = "{Statement: [{Effect: Allow, Action: 'Update:*', Principal: '*', Resource: '*'}, ...]}, as CloudFormation's stack policies"


def read_policy(path: Path) -> dict[str, Any]:
    """A stack policy from a YAML or JSON file; ServiceError with everything that is wrong with it."""
    try:
        found = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise ServiceError(f"{path}: {error}", hint="a stack policy is YAML or JSON", exit_code=3) from None
    problems = policy_problems(found)
    if problems:
        raise ServiceError(f"{path}: {'; '.join(problems)}", hint=SHAPE, exit_code=3)
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def _amend(session: Session, row: StackRow, events: list[Event], changed: dict[str, Instance | None], settings: dict[str, Any] | None = None) -> None:
    try:
        session.store.amend(row, events, changed, settings=settings)
    except BusyError as error:
        raise ServiceError(str(error), hint=error.hint) from error
