"""Stacks and their resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackengine.cli.render.outputs import outputs_data, outputs_lines
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import pad, table, width
from stackengine.cli.render.times import ago, iso
from stackengine.cli.render.values import show, to_data
from stackengine.service.types import ResourceView, StackSummary, StackView

_COLORS = {
    "complete": "green",
    "ready": "green",
    "configured": "green",
    "running": "cyan",
    "failed": "red",
    "interrupted": "yellow",
    "rolled_back": "yellow",
    "stopped": "yellow",
}


def _status(word: str, style: Style) -> str:
    color = _COLORS.get(word, "yellow" if word.endswith("ing") else "")
    return style.paint(word, color) if color else word


def _host(summary: StackSummary) -> str:
    """The stack's own host, and that it or another one of its hosts does not run."""
    return (summary.host or "-") + (" (down)" if summary.hosts_down else "")


def listing(stacks: Sequence[StackSummary], now: float, style: Style = PLAIN) -> str:
    """One line for each stack."""
    rows = [
        [s.name, _status(s.state, style), str(s.revision), str(s.resources), s.language or "-", _host(s), ago(s.updated_at, now)] for s in stacks
    ]
    return table(["name", "state", "revision", "resources", "language", "host", "updated"], rows, style)


def whole(view: StackView, now: float, style: Style = PLAIN) -> str:
    """Everything of one stack that fits a screen."""
    summary = view.summary
    head = f"{style.paint(summary.name, 'bold')}  {_status(summary.state, style)}  revision {summary.revision} on {summary.host or 'no host yet'}"
    lines = [f"{head}, updated {ago(summary.updated_at, now)}"]
    lines += [view.description.strip()] if view.description.strip() else []
    lines += [f"reason: {summary.reason}"] if summary.reason else []
    if summary.state == "interrupted":
        lines.append(f"its operation was interrupted: `stack-run resume {summary.name}` goes on from there")
    if view.resources:
        rows = [_row(r, style) for r in view.resources]
        lines += ["", style.paint("Resources", "bold"), table(["path", "type", "status", "power", "gen", "physical id"], rows, style, "  ")]
    if view.parameters:
        columns = max(width(k) for k in view.parameters)
        lines += ["", style.paint("Parameters", "bold"), *(f"  {pad(k, columns)}  {show(v)}" for k, v in view.parameters.items())]
    if view.outputs:
        lines += ["", style.paint("Outputs", "bold"), outputs_lines(view.outputs, style, indent="  ")]
    if view.revisions:
        rows = [[str(r.get("number", "")), str(r.get("status", "")), str(r.get("language", "")), _created(r, now)] for r in view.revisions]
        lines += ["", style.paint("Revisions", "bold"), table(["number", "status", "language", "made"], rows, style, "  ")]
    return "\n".join(lines)


def _created(revision: dict[str, Any], now: float) -> str:
    made = revision.get("created_at")
    return ago(float(made), now) if isinstance(made, int | float) else str(made or "")


def _row(resource: ResourceView, style: Style) -> list[str]:
    power = resource.power if resource.type == "SE::Server" else "-"
    status = _status(resource.status, style) + (", external" if resource.external else ", protected" if resource.protected else "")
    return [resource.path, resource.foreign_type or resource.type, status, power, str(resource.generation), resource.physical_id]


def resource(view: ResourceView, style: Style = PLAIN) -> str:
    """One resource with its properties and attributes."""
    foreign = f" (written as {view.foreign_type})" if view.foreign_type not in ("", view.type) else ""
    lines = [f"{style.paint(view.path, 'bold')}  {view.type}{foreign}  {_status(view.status, style)}  generation {view.generation} on {view.host}"]
    lines.append(f"physical id  {view.physical_id}")
    if view.external:
        lines.append("external     it is used, and neither changed nor deleted")
    if view.protected:
        lines.append(f"protected    nothing deletes or replaces it; stack-run unprotect STACK {view.path} lifts that")
    if view.depends:
        lines.append(f"needs        {', '.join(view.depends)}")
    for title, values in (("Properties", view.properties), ("Attributes", view.attributes)):
        if values:
            columns = max(width(k) for k in values)
            lines += ["", style.paint(title, "bold"), *(f"  {pad(k, columns)}  {show(v, 200)}" for k, v in values.items())]
    return "\n".join(lines)


def summary_data(summary: StackSummary) -> dict[str, Any]:
    """A stack's line as JSON."""
    return {
        "name": summary.name,
        "id": summary.id,
        "state": summary.state,
        "host": summary.host,
        "revision": summary.revision,
        "language": summary.language,
        "resources": summary.resources,
        "updated_at": iso(summary.updated_at),
        "last_operation": summary.last_operation,
        "hosts_down": list(summary.hosts_down),
        "reason": summary.reason,
    }


def resource_data(view: ResourceView) -> dict[str, Any]:
    """A resource as JSON."""
    return {
        "path": view.path,
        "type": view.type,
        "foreign_type": view.foreign_type,
        "status": view.status,
        "power": view.power,
        "generation": view.generation,
        "physical_id": view.physical_id,
        "host": view.host,
        "properties": to_data(view.properties),
        "attributes": to_data(view.attributes),
        "depends": list(view.depends),
        "protected": view.protected,
        "external": view.external,
    }


def stack_data(view: StackView) -> dict[str, Any]:
    """The members of a ``stack`` document."""
    revisions = [{**to_data(r), **({"created_at": iso(r["created_at"])} if isinstance(r.get("created_at"), int | float) else {})} for r in view.revisions]
    return {
        **summary_data(view.summary),
        "description": view.description,
        "resources": [resource_data(r) for r in view.resources],
        "parameters": to_data(view.parameters),
        "outputs": outputs_data(view.outputs),
        "revisions": revisions,
    }
