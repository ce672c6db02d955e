"""Dependency graphs as SVG: layers from left to right, long edges led round the boxes, no program needed to draw it."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from stackengine.cli.render.graph import Box, Graph, pairs_of

_BOX_H, _BEND_H, _GAP_X, _GAP_Y, _PAD, _CHAR = 40, 4, 64, 16, 16, 7.6
_STYLE = """\
  .box{fill:#fff;stroke:#57606a;stroke-width:1.2}.name{font:600 13px system-ui,sans-serif;fill:#1f2328}.type{font:400 11px system-ui,sans-serif;fill:#57606a}
  .edge{fill:none;stroke:#8c959f;stroke-width:1.3}.ready{stroke-dasharray:5 3}.head{fill:#8c959f}
  .ok .box{stroke:#1a7f37;fill:#dafbe1}.busy .box{stroke:#9a6700;fill:#fff8c5}.bad .box{stroke:#cf222e;fill:#ffebe9}
  @media (prefers-color-scheme:dark){.box{fill:#161b22;stroke:#8b949e}.name{fill:#e6edf3}.type{fill:#8b949e}.edge{stroke:#6e7681}.head{fill:#6e7681}
  .ok .box{fill:#12261e;stroke:#3fb950}.busy .box{fill:#272115;stroke:#d29922}.bad .box{fill:#25171c;stroke:#f85149}}"""
_CLASSES = {"ready": "ok", "configured": "ok", "failed": "bad", "creating": "busy", "updating": "busy", "deleting": "busy"}


def svg(graph: Graph) -> str:
    """The whole picture."""
    pairs = pairs_of(graph.links)
    layer = _layers(graph, list(pairs))
    columns, chains = _columns(graph, pairs, layer)
    _order(columns, chains)
    widths = [max((_width(graph.boxes[n]) for n in c if n in graph.boxes), default=20.0) for c in columns]
    lefts = [_PAD + sum(widths[:i]) + _GAP_X * i for i in range(len(columns))]
    heights = [sum(_height(n) + _GAP_Y for n in c) - _GAP_Y for c in columns]
    at: dict[str, tuple[float, float]] = {}
    for i, column in enumerate(columns):
        y = _PAD + (max(heights) - heights[i]) / 2
        for name in column:
            at[name] = (lefts[i], y + _height(name) / 2)
            y += _height(name) + _GAP_Y
    right, bottom = (lefts[-1] + widths[-1] + _PAD, max(heights) + 2 * _PAD) if columns else (2 * _PAD, 2 * _PAD)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.0f} {bottom:.0f}" width="{right:.0f}" height="{bottom:.0f}" role="img">',
        f"<title>{escape(graph.name)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>',
    ]
    for pair, chain in chains.items():
        out.append(_edge(chain, pairs[pair], at, {n: widths[i] for i, c in enumerate(columns) for n in c}))
    out += [_box(graph.boxes[n], at[n], widths[i]) for i, c in enumerate(columns) for n in c if n in graph.boxes]
    return "\n".join([*out, "</svg>"])


def _width(box: Box) -> float:
    return max(len(box.path) * _CHAR, len(box.type) * _CHAR * 0.84) + 20


def _height(name: str) -> int:
    return _BEND_H if name.startswith("\0") else _BOX_H


def _layers(graph: Graph, pairs: list[tuple[str, str]]) -> dict[str, int]:
    """How many steps each box stands behind what needs nothing (the longest way counts)."""
    before: dict[str, list[str]] = {path: [] for path in graph.boxes}
    for needed, path in pairs:
        before[path].append(needed)
    layer: dict[str, int] = {}
    stack = list(graph.boxes)
    while stack:
        path = stack[-1]
        open_ones = [b for b in before[path] if b not in layer]
        if path in layer or not open_ones:
            stack.pop()
            layer.setdefault(path, 1 + max((layer[b] for b in before[path]), default=-1))
        else:
            stack.extend(open_ones)
    return layer


def _columns(graph: Graph, pairs: dict[tuple[str, str], str], layer: dict[str, int]) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """Names by layer, and every edge as a chain with a place in each layer that it crosses; edges of one kind from one box share theirs."""
    columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for path in graph.boxes:
        columns[layer[path]].append(path)
    chains = {}
    for (a, b), need in pairs.items():
        bends = {i: f"\0{a}\0{need}\0{i}" for i in range(layer[a] + 1, layer[b])}
        for i, bend in bends.items():
            if bend not in columns[i]:
                columns[i].append(bend)
        chains[a, b] = [a, *bends.values(), b]
    return columns, chains


def _order(columns: list[list[str]], chains: dict[tuple[str, str], list[str]], sweeps: int = 6) -> None:
    """Order each column by the middle of its neighbours, to and fro, so that few edges cross."""
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for chain in chains.values():
        for a, b in pairwise(chain):
            right.setdefault(a, []).append(b)
            left.setdefault(b, []).append(a)
    for sweep in range(sweeps):
        forth = sweep % 2 == 0
        for i in range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1):
            other = {n: k for k, n in enumerate(columns[i - 1 if forth else i + 1])}
            here = {n: float(k) for k, n in enumerate(columns[i])}
            for name in columns[i]:
                near = [other[n] for n in (left if forth else right).get(name, ())]
                here[name] = sum(near) / len(near) if near else here[name]
            columns[i].sort(key=here.__getitem__)


def _edge(chain: list[str], need: str, at: dict[str, tuple[float, float]], widths: dict[str, float]) -> str:
    x, y = at[chain[0]]
    x += widths[chain[0]]
    path = [f"M{x:.0f} {y:.0f}"]
    for name in chain[1:]:
        nx, ny = at[name]
        path.append(f"C{(x + nx) / 2:.0f} {y:.0f} {(x + nx) / 2:.0f} {ny:.0f} {nx:.0f} {ny:.0f}")
        x, y = nx, ny
        if name.startswith("\0"):
            x += widths[name]
            path.append(f"H{x:.0f}")
    return f'<path class="edge{" ready" if need == "ready" else ""}" marker-end="url(#a)" d="{" ".join(path)}"/>'


def _box(box: Box, at: tuple[float, float], width: float) -> str:
    x, y = at[0], at[1] - _BOX_H / 2
    hint = f"{box.path}: {box.type}" + (f", {box.status}" if box.status else "")
    return (
        f'<g id="r-{escape(box.path, quote=True)}" class="{_CLASSES.get(box.status, "")}"><title>{escape(hint)}</title>'
        f'<rect class="box" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_BOX_H}" rx="6"/>'
        f'<text class="name" x="{x + 10:.0f}" y="{y + 17:.0f}">{escape(box.path)}</text>'
        f'<text class="type" x="{x + 10:.0f}" y="{y + 32:.0f}">{escape(box.type)}</text></g>'
    )
