"""Change sets for people and for programs."""

from __future__ import annotations

from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.cli.render.times import ago, iso
from stackengine.store.changes import ChangeSetRow


def listing(found: list[ChangeSetRow], now: float, style: Style = PLAIN) -> str:
    """One line for each."""
    rows = [[c.id, c.name or "-", c.stack_name, c.kind, c.status, _summary(c), ago(c.created_at, now)] for c in found]
    return table(("id", "name", "stack", "operation", "status", "plan", "saved"), rows, style)


def _summary(saved: ChangeSetRow) -> str:
    counts = saved.shown.get("summary", {})
    return ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "no changes"


def summary_data(saved: ChangeSetRow) -> dict[str, Any]:
    """One line as JSON."""
    return {
        "id": saved.id,
        "name": saved.name,
        "stack": saved.stack_name,
        "operation": saved.kind,
        "status": saved.status,
        "reason": saved.reason,
        "to_revision": saved.to_revision,
        "created_at": iso(saved.created_at),
        "summary": saved.shown.get("summary", {}),
    }


def data(saved: ChangeSetRow) -> dict[str, Any]:
    """The members of a ``change_set`` document."""
    return {**summary_data(saved), "plan": saved.shown}
