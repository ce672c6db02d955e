"""What a plan must not do: to what is protected, to what holds data without a word, to what a stack policy denies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.instance import Instance
from stackengine.planning.plan import Action, Plan

Effect = Literal["Modify", "Replace", "Delete"]


@dataclass(frozen=True, slots=True)
class Loss:
    """An object that users wrote to, and that the plan deletes."""

    path: str
    type: str
    how: Literal["replace", "delete"]
    reason: str


def losses(plan: Plan) -> list[Loss]:
    """What goes away with the data that it holds; what never came to be, what is kept as a copy, and what was agreed to and begun before is no loss."""
    kept = {a.instance.id for a in plan.actions.values() if a.verb == "snapshot"}
    replaced = plan.replaced()
    why = {a.path: a.reason for a in plan.actions.values() if a.verb == "create" and a.path in replaced}
    return [
        Loss(a.path, a.instance.type, "replace" if a.path in replaced else "delete", why.get(a.path, a.reason))
        for a in plan.actions.values()
        if a.verb == "delete" and a.holds_data and a.instance.id not in kept and came_to_be(a.instance) and a.instance.status != "deleting"
    ]


def came_to_be(instance: Instance) -> bool:
    """Whether the object was whole at some time: only then can somebody have written to it."""
    return instance.lived or bool(instance.attributes) or instance.sure or instance.status not in ("creating", "deleting", "failed")


def check_protected(actions: Iterable[Action], diagnostics: Diagnostics) -> None:
    """A protected object is neither deleted nor replaced, also when its block is no longer in the template."""
    for action in actions:
        old = action.instance
        if action.verb == "delete" and old.protected and old.status != "deleting":
            hint = f"lift it first: stack-run unprotect STACK {old.path}; or keep the object: deletion: Retain"
            diagnostics.error("X202", f"{old.path} is protected and would be deleted ({action.reason})", action.mark, hint)


def denied(plan: Plan, policy: Mapping[str, Any], foreign: Desired) -> Iterator[Diagnostic]:
    """What a stack policy (CloudFormation User Guide, "Prevent updates to stack resources") denies: all that no statement allows, and all that one denies."""
    replaced = plan.replaced()
    for action in plan.actions.values():
        effect = _effect(action, replaced)
        if effect is None:
            continue
        wanted = foreign.resources.get(action.path)
        types = {action.instance.type, *([wanted.foreign_type] if wanted else [])}
        verdict = _verdict(policy.get("Statement", ()), effect, action.path, types)
        if verdict is not True:
            why = "the stack policy denies it" if verdict is False else "no statement of the stack policy allows it"
            hint = "stack-run policy STACK shows it; --override-policy FILE replaces it once"
            yield Diagnostic("X203", f"Update:{effect} of {action.path}: {why}", action.mark, hint)


def _effect(action: Action, replaced: set[str]) -> Effect | None:
    if action.verb in ("update", "move"):
        return "Modify"
    if action.verb == "create" and action.path in replaced:
        return "Replace"
    return "Delete" if action.verb == "delete" and action.path not in replaced else None


def _verdict(statements: Iterable[Mapping[str, Any]], effect: Effect, path: str, types: set[str]) -> bool | None:
    allowed: bool | None = None
    for statement in statements:
        if not _applies(statement, effect, path, types):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


def _applies(statement: Mapping[str, Any], effect: Effect, path: str, types: set[str]) -> bool:
    action, resource = f"Update:{effect}", f"LogicalResourceId/{path}"
    if not _matches(statement, "Action", action) or not _matches(statement, "Resource", resource):
        return False
    for operator, test in statement.get("Condition", {}).items():
        patterns = _listed(test.get("ResourceType", "*"))
        found = any(fnmatchcase(t, p) if operator == "StringLike" else t == p for t in types for p in patterns)
        if not found:
            return False
    return True


def _matches(statement: Mapping[str, Any], key: str, value: str) -> bool:
    if f"Not{key}" in statement:
        return not any(fnmatchcase(value, p) for p in _listed(statement[f"Not{key}"]))
    return any(fnmatchcase(value, p) for p in _listed(statement.get(key, ())))


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]


def policy_problems(policy: Any) -> list[str]:
    """What is wrong with a stack policy document."""
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), list):
        return ["a stack policy is a mapping with a list Statement"]
    found = []
    for number, statement in enumerate(policy["Statement"], 1):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            found.append(f"statement {number}: Effect is Allow or Deny")
            continue
        actions = _listed(statement.get("Action", statement.get("NotAction", ())))
        wrong = [a for a in actions if a not in ("Update:*", "Update:Modify", "Update:Replace", "Update:Delete", "*")]
        if wrong or not actions:
            found.append(f"statement {number}: Action is Update:Modify, Update:Replace, Update:Delete or Update:*")
        if "Resource" not in statement and "NotResource" not in statement:
            found.append(f"statement {number}: Resource is LogicalResourceId/NAME or *")
        unknown = set(statement.get("Condition", {})) - {"StringEquals", "StringLike"}
        if unknown:
            found.append(f"statement {number}: Condition knows StringEquals and StringLike, not {', '.join(sorted(unknown))}")
    return found
