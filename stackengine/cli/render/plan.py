"""The plan for people: every action with its properties, reasons and consequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import pad, width
from stackengine.cli.render.values import show, text_diff
from stackengine.model.values import Value, has_sensitive
from stackengine.planning.plan import Action, Change, Plan
from stackengine.planning.protection import losses
from stackengine.service.types import Preview

_HIDDEN: tuple[Value, ...] = (None, "", [], {})
_TITLES = {"create": "create", "update": "update", "rollback": "roll back", "delete": "delete", "repair": "repair"}
_SECTIONS = (
    ("early", "First, because old and new cannot exist side by side (a rollback has to rebuild these):"),
    ("main", ""),
    ("tail", "Cleanup, once everything above has succeeded (no way back after this):"),
)


def render(preview: Preview, style: Style = PLAIN, *, explain: bool = False) -> str:
    """The whole view; ``explain`` adds identities, gates and why the order is as it is."""
    plan = preview.plan
    if plan.empty:
        return no_changes(preview)
    text = [style.paint(title(preview), "bold"), ""]
    widest = max(width(a.path) for a in plan.actions.values()), max(width(a.instance.type) for a in plan.actions.values())
    look = _Look(style, explain, preview.host, min(40, widest[0]), min(32, widest[1]), plan.replaced())
    for phase, heading in _SECTIONS:
        actions = [a for a in plan.actions.values() if a.phase == phase]
        if not actions:
            continue
        if heading:
            text += [style.paint(heading, "bold")]
        for action in actions:
            text += _action(action, look)
        text.append("")
    text += [*_outputs(plan), *_consequences(plan), summary(plan)]
    return "\n".join(text)


def title(preview: Preview) -> str:
    """``three-tier: update revision 3 to 4 on private://default``."""
    what = f"{preview.stack}: {_TITLES[preview.kind]}"
    match preview.kind:
        case "update":
            what += f" revision {preview.from_revision} to {preview.to_revision}"
        case "rollback" if preview.from_revision == preview.to_revision:
            what += f" to revision {preview.to_revision}, which an operation that failed has left"
        case "rollback":
            what += f" from revision {preview.from_revision} to {preview.to_revision or 'nothing (revision 0)'}"
    return f"{what} on {preview.host}"


def no_changes(preview: Preview) -> str:
    """What to say when there is nothing to do."""
    if preview.kind == "delete":
        return f"No changes. Nothing of {preview.stack} is left on {preview.host}."
    which = "its template" if preview.kind in ("create", "update") else f"revision {preview.to_revision}"
    return f"No changes. {preview.stack} is as {which} says."


def summary(plan: Plan) -> str:
    """``Plan: 3 to add, 1 to change, 0 to replace, 0 to destroy.``"""
    counts = plan.counts()
    kept = f", {counts['retain']} to let go" if counts["retain"] else ""
    return f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['replace']} to replace, {counts['destroy']} to destroy{kept}."


def glyph_of(action: Action) -> str:
    """The key into ``style.VERBS``: a create that takes over from an older generation is a replace."""
    return "replace" if action.replaces else "update" if action.finishes else action.verb


def what(action: Action, *, replaced: bool = False) -> str:
    """What is done, in two or three words; ``replaced``: its path has a newer generation in this plan."""
    match action.verb:
        case "create" if action.finishes:
            return "finish" if action.copy is None else f"update, {action.effect}"
        case "create" if action.replaces and action.possible_replace:
            return "replace, if it turns out different"
        case "create" if action.replaces:
            return "replace"
        case "create":
            return "create"
        case "update":
            return f"update, {action.effect}" if action.effect != "none" else "update"
        case "delete" if replaced:
            return f"delete generation {action.instance.generation}"
        case "release":
            return f"release {action.of}"
        case "read":
            return "use (it is not the stack's)"
        case "retain" if action.instance.external:
            return "let go"
        case "retain":
            return "retain (kept, no longer managed)"
        case "snapshot":
            return "keep a copy"
        case "copy":
            return "copy its disks"
        case "restore":
            return "bring its disks back"
        case "discard":
            return "drop copies of its disks"
        case verb:
            return verb


class _Look(NamedTuple):
    """What every line of one view needs to know."""

    style: Style
    explain: bool
    host: str
    path_width: int
    type_width: int
    replaced: set[str]


def _action(action: Action, look: _Look) -> list[str]:
    kind, style = glyph_of(action), look.style
    head = f"  {style.verb(kind)} {style.paint(pad(action.path, look.path_width), 'bold')}  {pad(action.instance.type, look.type_width)}  "
    head += what(action, replaced=action.path in look.replaced)
    if action.reason and (kind != "create" or look.explain or action.previous is not None):
        head += f": {action.reason}"
    tags = [action.instance.host] if action.instance.host not in ("", look.host) else []
    if action.mark.file:
        tags.append(f"{action.mark.file}:{action.mark.line}")
    lines = [head + (style.paint("  # " + ", ".join(tags), "dim") if tags else "")]
    shown = _properties(action) if action.verb == "create" and not action.finishes else {}
    columns = max((width(k) for k in [*shown, *(c.prop for c in action.changes)]), default=0)
    lines += [f"      {pad(k, columns)}  {v}" for k, v in shown.items()]
    lines += [line for c in action.changes for line in _change(c, action, style, columns)]
    lines += [f"      note: {n}" for n in action.notes]
    if look.explain:
        lines += _explanation(action)
    return [line.rstrip() for line in lines]


def _properties(action: Action) -> dict[str, str]:
    """What a create sets, unless a change line says it."""
    said = {c.prop.partition(".")[0] for c in action.changes}
    shown = {k: v for k, v in action.instance.properties.items() if v not in _HIDDEN and k not in said}
    for name, value in action.instance.identity.items():
        if name in ("address", "mac", "cidr") and name not in shown and value not in _HIDDEN:
            shown[name] = value
    return {k: show(v) for k, v in shown.items()}


def _change(change: Change, action: Action, style: Style, columns: int) -> Iterator[str]:
    line = f"      {pad(change.prop, columns)}  {show(change.old, 48)} -> {show(change.new, 48)}"
    if change.effect == "replace":
        forced = "may force replacement" if action.possible_replace else "forces replacement"
        yield line + style.paint(f"  # {forced}" + (f": {change.reason}" if change.reason else ""), "red")
    else:
        words = ": ".join(w for w in (change.effect if change.effect != "none" else "", change.reason) if w)
        yield line + (style.paint(f"  # {words}", "dim") if words else "")
    if not has_sensitive(change.old) and not has_sensitive(change.new):
        for diff in text_diff(change.old, change.new):
            yield "          " + style.paint(diff, "red" if diff[0] == "-" else "green" if diff[0] == "+" else "dim")


def _explanation(action: Action) -> Iterator[str]:
    identity = {k: v for k, v in action.instance.identity.items() if v not in _HIDDEN}
    if identity and action.verb == "create":
        yield "      identity: " + ", ".join(f"{k} {show(v)}" for k, v in identity.items())
    if action.gate is not None:
        gate = action.gate
        count = f" × {gate.count}" if gate.kind == "signal" else ""
        yield f"      ready when: {gate.kind}{count}, within {gate.timeout:g} s"
    for edge in action.after:
        yield f"      after {edge.action} ({edge.need})" + (f": {edge.why}" if edge.why else "")


def _outputs(plan: Plan) -> list[str]:
    if not plan.outputs:
        return []
    columns = max(width(k) for k in plan.outputs)
    return ["Outputs:", *(f"  {pad(k, columns)}  {show(v)}" for k, v in plan.outputs.items()), ""]


def _consequences(plan: Plan) -> list[str]:
    """Who is interrupted and whose data goes away; each a line, only where there is something to say."""
    interrupted: dict[str, str] = {}
    for action in plan.actions.values():
        if action.replaces:
            interrupted[action.path] = "replaced"
        elif action.verb == "update" and action.effect == "reboot":
            interrupted[action.path] = "reboot"
        elif action.verb in ("stop", "release"):
            interrupted.setdefault(action.path, "stopped" if action.verb == "stop" else f"releases {action.of}")
    lost = [f"{loss.path} ({loss.type})" for loss in losses(plan)]
    lines = []
    if interrupted:
        lines.append("Interruption: " + ", ".join(f"{path} ({why})" for path, why in interrupted.items()))
    if lost:
        lines.append("Data that goes away: " + ", ".join(lost))
    return lines
