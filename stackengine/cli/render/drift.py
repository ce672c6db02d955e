"""Drift for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.values import show, to_data
from stackengine.service.drift import Difference, Drift

_CURES = {"live": "repair puts it right as it runs", "reboot": "repair restarts it", "replace": "repair replaces it", "none": "repair cannot put it right"}


def render(drift: Drift, style: Style = PLAIN) -> str:
    """By resource, each property as we set it and as it is."""
    lines: list[str] = []
    seen = ""
    for d in drift.differences:
        if d.id != seen:
            seen = d.id
            lines.append(f"  {style.verb('update')} {style.paint(d.path, 'bold')}  {d.type}  generation {d.id.rpartition('@')[2]}")
        lines.append("      " + _line(d, style))
    lines += [f"  ? {style.paint(id_, 'bold')}  cannot be read: {why}" for id_, why in drift.unreadable]
    lines += [f"  ? {style.paint(id_, 'bold')}  was left unfinished by an operation: not compared" for id_ in drift.unfinished]
    return "\n".join([*lines, "", summary(drift)] if lines else [summary(drift)])


def _line(d: Difference, style: Style) -> str:
    if d.external:
        what = f"{d.prop}  {show(d.expected, 48)} -> {show(d.found, 48)}" if d.prop else style.paint("it is gone from the host", "red")
        cure = "it is not the stack's: the next up takes it as it is" if d.prop else "it is not the stack's: only its owner can bring it back"
        return what + style.paint(f"  # {cure}", "dim")
    if not d.prop:
        return style.paint("it is gone from the host", "red") + style.paint("  # repair makes it again", "dim")
    return f"{d.prop}  {show(d.expected, 48)} -> {show(d.found, 48)}" + style.paint(f"  # {_CURES[d.effect]}", "dim")


def summary(drift: Drift) -> str:
    """``shop: 2 of 7 objects differ from what was applied.``"""
    count = len({d.id for d in drift.differences})
    if not count:
        return f"{drift.stack}: no drift; {drift.read} objects are as they were applied."
    return f"{drift.stack}: {count} of {drift.read} objects {'differs' if count == 1 else 'differ'} from what was applied."


def drift_data(drift: Drift) -> dict[str, Any]:
    """The members of a ``drift`` document."""
    return {
        "stack": drift.stack,
        "drift": bool(drift.differences),
        "read": drift.read,
        "differences": _differences(drift.differences),
        "unfinished": list(drift.unfinished),
        "unreadable": [{"instance": i, "why": why} for i, why in drift.unreadable],
    }


def _differences(found: Iterable[Difference]) -> list[dict[str, Any]]:
    return [
        {"path": d.path, "type": d.type, "instance": d.id, "property": d.prop, "expected": to_data(d.expected), "found": to_data(d.found), "repair": d.effect}
        for d in found
    ]
