"""What took how long: bars on a common scale, the chain that decided the total, the first root failure."""

from __future__ import annotations

from collections.abc import Mapping

from stackengine.cli.render.progress import Progress, Step, Walk
from stackengine.cli.render.style import PLAIN, VERBS, Style
from stackengine.cli.render.table import pad, width
from stackengine.cli.render.times import span
from stackengine.planning.plan import Action

_BAR = 36
_MOST = 24
"""Bars that are shown; beyond that the critical path and the slowest."""


def render(progress: Progress, style: Style = PLAIN) -> str:
    """The timeline of every walk with more than one step; empty where there is none."""
    text: list[str] = []
    for walk in progress.walks:
        steps = sorted((s for s in walk.steps.values() if s.ended and s.state != "skipped"), key=lambda s: (s.began, s.ended))
        if len(steps) > 1:
            text += [*([""] if text else []), *_walk(walk, steps, style)]
    root = next(progress.failures(), None)
    if root is not None:
        text.append(f"First failure: {root.verb} of {root.path}" + (f" ({root.type})" if root.type else "") + f" after {span(root.ended - root.began)}")
    return "\n".join(text)


def _walk(walk: Walk, steps: list[Step], style: Style) -> list[str]:
    start = min(s.began for s in steps)
    end = max(s.ended for s in steps)
    chain = critical_path(steps, walk.planned)
    on_chain = {s.id for s in chain} if len(chain) > 1 else set()
    shown = steps
    if len(steps) > _MOST:
        slowest = sorted(steps, key=lambda s: s.began - s.ended)[:_MOST]
        kept = {s.id for s in slowest} | {s.id for s in chain[:_MOST]}
        shown = [s for s in steps if s.id in kept]
    columns = min(40, max(width(s.path) for s in shown))
    title = f"Timeline{' of the rollback' if walk.kind == 'rollback' else ''}, {span(end - start)}"
    legend = f"  {style.glyph('━')} at work" + (f"  {style.glyph('─')} waiting to be ready" if any(s.waited for s in steps) else "")
    lines = [style.paint(title, "bold") + style.paint(legend, "dim")]
    scale = _BAR / max(end - start, 0.001)
    for step in shown:
        mark = style.glyph("●") if step.id in on_chain else " "
        glyph = style.verb("replace" if step.replaces else step.verb)
        state = "  failed" if step.state == "failed" else ""
        lines.append(f"  {mark} {glyph} {pad(step.path, columns)}  {_bar(step, start, scale, style)}  {span(step.ended - step.began)}{state}".rstrip())
    if len(shown) < len(steps):
        lines.append(f"    {style.glyph('…')} and {len(steps) - len(shown)} shorter ones")
    if len(chain) > 1:
        lines.append(f"  {style.glyph('●')} critical path: " + " > ".join(f"{s.verb} {s.path}" for s in chain))
    return lines


def _bar(step: Step, start: float, scale: float, style: Style) -> str:
    """Blank before it began, heavy while its host calls ran, light while it waited for its gate."""
    left = min(_BAR - 1, int((step.began - start) * scale))
    right = min(_BAR, max(left + 1, round((step.ended - start) * scale)))
    middle = right
    if step.waited:
        middle = min(right, max(left + 1, round((step.configured - start) * scale)))
    color = "red" if step.state == "failed" else VERBS.get("replace" if step.replaces else step.verb, ("", "dim"))[1]
    bar = style.glyph("━") * (middle - left) + style.glyph("─") * (right - middle)
    return " " * left + style.paint(bar, color) + " " * (_BAR - right)


def critical_path(steps: list[Step], planned: Mapping[str, Action]) -> list[Step]:
    """The chain that decided when the last step ended: from it back to what it waited for longest."""
    by_id = {s.id: s for s in steps}
    step: Step | None = max(steps, key=lambda s: s.ended)
    chain: dict[str, Step] = {}
    while step is not None:
        chain[step.id] = step
        action = planned.get(step.id)
        before = [by_id[e.action] for e in action.after if e.action in by_id and e.action not in chain] if action else []
        step = max(before, key=lambda s: s.ended, default=None)
    return [*reversed(chain.values())]
