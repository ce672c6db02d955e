"""Dependency graphs as text, DOT, Mermaid and data; an arrow goes from what is needed to what needs it, as it is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.model.desired import Desired


@dataclass(frozen=True, slots=True)
class Box:
    """One resource; ``status`` is empty where there is only a template."""

    path: str
    type: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """``path`` needs ``needs``."""

    path: str
    needs: str
    need: str
    """``configured`` or ``ready``."""
    via: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What users see of a stack."""

    name: str
    boxes: dict[str, Box]
    links: tuple[Link, ...]

    def needs(self, path: str) -> list[str]:
        """What ``path`` needs, each once, in the order of the template."""
        return list(dict.fromkeys(k.needs for k in self.links if k.path == path))


def of_desired(name: str, desired: Desired, statuses: dict[str, str] | None = None) -> Graph:
    """The graph of a desired state."""
    boxes = {r.path: Box(r.path, r.foreign_type or r.type, (statuses or {}).get(r.path, "")) for r in desired.resources.values()}
    links = (Link(r.path, d.path, d.need, d.via) for r in desired.resources.values() for d in r.depends if d.path in boxes)
    return Graph(name, boxes, tuple(dict.fromkeys(links)))


def text(graph: Graph, style: Style = PLAIN) -> str:
    """A tree from what nothing needs down to what everything needs; what stood above already is marked ``(*)``."""
    children: dict[str, list[str]] = {path: [] for path in graph.boxes}
    needed = set()
    for link in graph.links:
        if link.needs not in children[link.path]:
            children[link.path].append(link.needs)
        needed.add(link.needs)
    lines: list[str] = []
    seen: set[str] = set()
    stack = [(path, "", "") for path in reversed(graph.boxes) if path not in needed]
    while stack:
        path, lead, below = stack.pop()
        box = graph.boxes[path]
        again = path in seen and bool(children[path])
        status = f"  {box.status}" if box.status else ""
        lines.append(f"{lead}{style.paint(path, 'bold')}  {style.paint(box.type, 'dim')}{status}{'  (*)' if again else ''}")
        seen.add(path)
        if again:
            continue
        last = len(children[path]) - 1
        for i in range(last, -1, -1):
            corner, bar = ("└── ", "    ") if i == last else ("├── ", "│   ")
            stack.append((children[path][i], below + _ascii(corner, style), below + _ascii(bar, style)))
    return "\n".join(lines)


def _ascii(corner: str, style: Style) -> str:
    return "".join(style.glyph(c) for c in corner)


def pairs_of(links: Iterable[Link]) -> dict[tuple[str, str], str]:
    """(needed, needing) with the stronger need of all links between the two."""
    pairs: dict[tuple[str, str], str] = {}
    for link in links:
        if pairs.get((link.needs, link.path)) != "ready":
            pairs[link.needs, link.path] = link.need
    return pairs


def dot(graph: Graph) -> str:
    """Graphviz; a dashed edge waits until the other is ready."""
    lines = [f"digraph {_dot(graph.name)} {{", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines += [f"  {_dot(b.path)} [label={_dot(b.path + chr(10) + b.type)}];" for b in graph.boxes.values()]
    lines += [f"  {_dot(a)} -> {_dot(b)}{' [style=dashed]' if need == 'ready' else ''};" for (a, b), need in pairs_of(graph.links).items()]
    return "\n".join([*lines, "}"])


def _dot(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def mermaid(graph: Graph) -> str:
    """Mermaid, as code hosts draw it in comments; a dotted edge waits until the other is ready."""
    ids = {path: f"n{i}" for i, path in enumerate(graph.boxes)}
    lines = ["flowchart LR", *(f'  {ids[b.path]}["{_html(b.path)}<br/><small>{_html(b.type)}</small>"]' for b in graph.boxes.values())]
    lines += [f"  {ids[a]} {'-.->' if need == 'ready' else '-->'} {ids[b]}" for (a, b), need in pairs_of(graph.links).items()]
    return "\n".join(lines)


def _html(word: str) -> str:
    return word.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def to_data(graph: Graph) -> dict[str, Any]:
    """The members of a ``graph`` document."""
    return {
        "stack": graph.name,
        "nodes": [{"path": b.path, "type": b.type, "status": b.status} for b in graph.boxes.values()],
        "edges": [{"from": k.path, "needs": k.needs, "need": k.need, "via": k.via} for k in graph.links],
    }
