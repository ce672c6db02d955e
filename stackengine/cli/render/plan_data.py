"""The plan for programs."""

from __future__ import annotations

from typing import Any

from stackengine.cli.render.diagnostics import place
from stackengine.cli.render.diagnostics import to_data as diagnostics_data
from stackengine.cli.render.values import to_data
from stackengine.planning.plan import Action
from stackengine.service.types import Preview


def plan_data(preview: Preview) -> dict[str, Any]:
    """The members of a ``plan`` document."""
    plan = preview.plan
    return {
        "stack": preview.stack,
        "operation": preview.kind,
        "host": preview.host,
        "host_is_default": preview.host_is_default,
        "simulated": preview.simulated,
        "from_revision": preview.from_revision,
        "to_revision": preview.to_revision,
        "changes_present": not plan.empty,
        "summary": plan.counts(),
        "actions": [_action(a) for a in plan.actions.values()],
        "unchanged": list(plan.unchanged),
        "outputs": to_data(plan.outputs),
        "diagnostics": diagnostics_data([*preview.diagnostics, *plan.diagnostics]),
    }


def _action(action: Action) -> dict[str, Any]:
    gate = action.gate
    return {
        "id": action.id,
        "verb": action.verb,
        "path": action.path,
        "generation": action.instance.generation,
        "type": action.instance.type,
        "host": action.instance.host,
        "physical_id": str(action.instance.identity.get("physical_id", "")),
        "phase": action.phase,
        "replaces": action.previous.id if action.replaces and action.previous else None,
        "possible_replace": action.possible_replace,
        "effect": action.effect,
        "reason": action.reason,
        "of": action.of or None,
        "holds_data": action.holds_data,
        "properties": to_data(action.instance.properties) if action.verb in ("create", "update", "move") else {},
        "changes": [
            {"property": c.prop, "old": to_data(c.old), "new": to_data(c.new), "effect": c.effect, "reason": c.reason, "mark": place(c.mark)}
            for c in action.changes
        ],
        "after": [{"action": e.action, "need": e.need, "why": e.why} for e in action.after],
        "gate": {"kind": gate.kind, "timeout": gate.timeout, "count": gate.count} if gate else None,
        "notes": list(action.notes),
        "mark": place(action.mark),
    }
