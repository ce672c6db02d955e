"""A branch environment as Markdown, for the summary of a CI job: how it stands, its addresses, its picture, the timeline of its last operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stackengine.cli.render import graph, timeline
from stackengine.cli.render.environments import state
from stackengine.cli.render.outputs import unwrap
from stackengine.cli.render.progress import Progress
from stackengine.cli.render.times import iso
from stackengine.cli.render.values import SENSITIVE, show
from stackengine.events import Event
from stackengine.model.desired import Desired
from stackengine.model.values import reveal
from stackengine.service.environments.up import Environment

MARKS = {"complete": "✅", "parked": "💤", "running": "⏳", "rolled_back": "↩️"}


def markdown(found: Environment, outputs: Mapping[str, Any], desired: Desired, events: Iterable[Event]) -> str:
    """The whole summary; whatever came from a template or a branch's name is text and nothing else."""
    life, word = found.life, state(found)
    lines = [f"### {MARKS.get(word, '❌')} {text(found.row.name)}: {word}", ""]
    lines.append(f"Branch {code(life.branch)} serves {code(life.commit[:12]) if life.commit else 'nothing yet'}" + _last(found) + _end(found) + ".")
    if found.reason:
        lines += ["", f"> {text(found.reason)}"]
    if outputs:
        lines += ["", "| output | value |", "|---|---|", *(f"| {text(name)} | {_value(output)} |" for name, output in outputs.items())]
    if desired.resources:
        lines += ["", "```mermaid", graph.mermaid(graph.of_desired(found.row.name, desired)), "```"]
    bars = _bars(events)
    if bars:
        lines += ["", "```text", bars.replace("```", "'''"), "```"]
    return "\n".join(lines)


def _last(found: Environment) -> str:
    life = found.life
    return f"; the last push was {code(life.pushed[:12])}" if life.pushed and life.pushed != life.commit else ""


def _end(found: Environment) -> str:
    if found.life.pinned:
        return "; pinned"
    return f"; until {iso(found.life.expires_at)}" if found.life.expires_at is not None else ""


def _value(output: Any) -> str:
    value, _, sensitive = unwrap(output)
    if sensitive:
        return SENSITIVE
    plain = reveal(value)
    if isinstance(plain, str) and plain.startswith(("http://", "https://")) and not set(plain) & set(" <>()[]|\"'`\\\n"):
        return f"<{plain}>"
    return code(plain if isinstance(plain, str) else show(plain, 500))


def _bars(events: Iterable[Event]) -> str:
    progress = Progress()
    for event in events:
        progress.take(event)
    del progress.walks[:-1]
    return timeline.render(progress)


def text(plain: str) -> str:
    """Text that Markdown takes as it stands."""
    cleaned = " ".join(plain.split())
    return "".join(f"&#{ord(c)};" if c in "&<>*_`[]|\\#~!@" else c for c in cleaned)


def code(plain: str) -> str:
    """Text as code."""
    cleaned = " ".join(plain.split())
    return f"<code>{''.join(f'&#{ord(c)};' if c in '&<>*_`[]|~@' else c for c in cleaned)}</code>"
