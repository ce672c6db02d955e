"""Branch environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stackengine.cli.render.failures import printable
from stackengine.cli.render.outputs import outputs_data, outputs_lines
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.cli.render.times import ago, iso
from stackengine.service import Session, stacks
from stackengine.service.environments.reap import Reaped
from stackengine.service.environments.up import Environment, Push

BRANCH_COLUMNS = 40
"""Longer names of branches are cut off in lists."""


def listing(environments: Sequence[Environment], now: float, style: Style = PLAIN) -> str:
    """One line for each environment."""
    rows = [
        [e.row.name, state(e), _short(printable(e.life.branch)), e.life.commit[:12] or "-", _end(e, now), e.row.host, ago(e.row.updated_at, now)]
        for e in environments
    ]
    return table(["name", "state", "branch", "commit", "expires", "host", "updated"], rows, style)


def _short(text: str) -> str:
    return text if len(text) <= BRANCH_COLUMNS else f"{text[: BRANCH_COLUMNS - 1]}…"


def state(found: Environment) -> str:
    """As people see it: one that is parked is not ``complete``."""
    return "parked" if found.life.parked_at is not None and found.state in ("complete", "rolled_back") else found.state


def _end(found: Environment, now: float) -> str:
    if found.life.pinned:
        return "pinned"
    if found.life.expires_at is None:
        return "never"
    left = found.life.expires_at - now
    if left < 0:
        return "expired"
    return f"in {left / 3600:.0f} h" if left >= 7200 else f"in {left / 60:.0f} min"


def whole(found: Environment, outputs: Mapping[str, Any], now: float, style: Style = PLAIN, pushes: Sequence[Push] = ()) -> str:
    """Everything of one environment."""
    life = found.life
    lines = [f"{style.paint(found.row.name, 'bold')}  {state(found)}  {printable(life.branch)} of {life.repository}"]
    lines.append(f"serves {life.commit or 'nothing yet'}" + (f", last push {life.pushed}" if life.pushed != life.commit else ""))
    lines.append(f"on {found.row.host}, {_end(found, now)}, updated {ago(found.row.updated_at, now)}" + (f", of {life.owner}" if life.owner else ""))
    lines += [found.reason] if found.reason else []
    if outputs:
        lines += ["", style.paint("Outputs", "bold"), outputs_lines(outputs, style, indent="  ")]
    if pushes:
        rows = [[p.commit[:12] or "-", str(p.revision), p.status, _plan(p.plan), ago(p.started_at, now), p.reason] for p in pushes]
        lines += ["", style.paint("Pushes", "bold"), table(["commit", "revision", "result", "plan", "when", "why"], rows, style, "  ")]
    return "\n".join(lines)


def _plan(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "nothing"


def pushes_data(pushes: Sequence[Push]) -> list[dict[str, Any]]:
    """Pushes as JSON."""
    return [
        {
            "commit": p.commit, "revision": p.revision, "plan": p.plan, "status": p.status, "reason": p.reason, "started_at": iso(p.started_at),
            "finished_at": iso(p.finished_at) if p.finished_at is not None else None,
        }
        for p in pushes
    ]  # fmt: skip


def outputs_of(session: Session, found: Environment) -> dict[str, Any]:
    """Outputs as JSON: as they were noted after the last ``up``, or worked out where something has happened since."""
    shown = found.life.shown
    if shown is not None and shown["seq"] == found.row.last_seq:
        return dict(shown["outputs"])
    return outputs_data(stacks.outputs(session, found.row.name))


def data(found: Environment, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """An environment as JSON; ``outputs`` are JSON already."""
    life = found.life
    return {
        "name": found.row.name, "repository": life.repository, "branch": life.branch, "commit": life.commit, "pushed": life.pushed, "state": state(found),
        "reason": found.reason, "host": found.row.host, "isolation": life.isolation, "owner": life.owner,
        "expires_at": iso(life.expires_at) if life.expires_at is not None else None, "pinned": life.pinned, "parent": life.parent or None,
        "outputs": dict(outputs),
    }  # fmt: skip


def reaped_line(item: Reaped, *, dry_run: bool = False) -> str:
    """What became of one environment."""
    if item.problem:
        word = "not gone"
    elif item.verdict.action == "park":
        word = "would be parked" if dry_run else "parked"
    elif item.verdict.action == "reap":
        word = "would go" if dry_run else "gone"
    else:
        word = "stays"
    return f"{item.name}: {word}: {printable(item.problem or item.verdict.reason)}"


def reaped_data(item: Reaped) -> dict[str, Any]:
    """The same as JSON."""
    return {"name": item.name, "branch": item.branch, "action": item.verdict.action, "reason": item.verdict.reason, "done": item.done, "problem": item.problem}
