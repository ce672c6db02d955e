"""Dependency graphs as SVG: rows from top to bottom, long arrows led between the boxes, no program needed to draw it.

A picture is for the eye: an arrow that follows from others (``a`` before ``b`` before ``c``) is left out; text, DOT, Mermaid and JSON have them all.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise

from stackengine.cli.render.graph import Box, Graph, pairs_of

_BOX_H, _GAP_X, _GAP_Y, _PAD, _CHAR, _BEND = 42, 22, 40, 16, 7.8, 6
_STYLE = """\
  .box{fill:#fff;stroke:#afb8c1;stroke-width:1.2}.name{font:600 13px system-ui,-apple-system,'DejaVu Sans',sans-serif;fill:#1f2328}
  .type{font:400 11px system-ui,-apple-system,'DejaVu Sans',sans-serif;fill:#57606a}
  .edge{fill:none;stroke:#8c959f;stroke-width:1.3}.ready{stroke-dasharray:5 3}.head{fill:#8c959f}
  .ok .box{stroke:#1a7f37;fill:#dafbe1}.busy .box{stroke:#9a6700;fill:#fff8c5}.bad .box{stroke:#cf222e;fill:#ffebe9}
  @media (prefers-color-scheme:dark){.box{fill:#161b22;stroke:#484f58}.name{fill:#e6edf3}.type{fill:#8b949e}.edge{stroke:#6e7681}.head{fill:#6e7681}
  .ok .box{fill:#12261e;stroke:#3fb950}.busy .box{fill:#272115;stroke:#d29922}.bad .box{fill:#25171c;stroke:#f85149}}"""
_CLASSES = {"ready": "ok", "configured": "ok", "failed": "bad", "creating": "busy", "updating": "busy", "moving": "busy", "deleting": "busy"}
_COLORS = ("#0969da", "#1a7f37", "#bf8700", "#8250df", "#cf222e", "#1b7c83", "#bc4c00", "#bf3989", "#57606a", "#4d2d00")
"""One for each type, in the order in which types first come."""
_MANY = 2000
"""Arrows beyond which looking for implied ones would take seconds."""

Pair = tuple[str, str]


def svg(graph: Graph) -> str:
    """The whole picture."""
    pairs = _without_implied(pairs_of(graph.links))
    rows, chains = _rows(graph, pairs)
    _order(rows, chains)
    widths = {n: _width(graph.boxes[n]) if n in graph.boxes else float(_BEND) for row in rows for n in row}
    middles = _place(rows, chains, widths)
    at = {n: (middles[n], float(_PAD + i * (_BOX_H + _GAP_Y))) for i, row in enumerate(rows) for n in row}
    right = max((middles[n] + w / 2 for n, w in widths.items()), default=0.0) + _PAD
    bottom = len(rows) * (_BOX_H + _GAP_Y) - (_GAP_Y if rows else 0) + 2 * _PAD
    colors = dict(zip(dict.fromkeys(b.type for b in graph.boxes.values()), _COLORS * len(graph.boxes), strict=False))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.0f} {bottom:.0f}" width="{right:.0f}" height="{bottom:.0f}" role="img">',
        f"<title>{escape(graph.name)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>',
    ]
    out += [_edge(chain, pairs[pair], at) for pair, chain in chains.items()]
    out += [_box(graph.boxes[n], at[n], widths[n], colors[graph.boxes[n].type]) for row in rows for n in row if n in graph.boxes]
    return "\n".join([*out, "</svg>"])


def _width(box: Box) -> float:
    return max(len(box.path) * _CHAR, len(box.type) * _CHAR * 0.86) + 26


def _without_implied(pairs: dict[Pair, str]) -> dict[Pair, str]:
    """Without plain arrows that a longer way says already; one that waits for readiness always stays. Pictures beyond all eyes keep theirs."""
    if len(pairs) > _MANY:
        return pairs
    after: dict[str, list[str]] = {}
    for needed, path in pairs:
        after.setdefault(needed, []).append(path)
    kept = {}
    for (needed, path), need in pairs.items():
        seen: set[str] = set()
        stack = [p for p in after[needed] if p != path]
        while stack and need != "ready":
            step = stack.pop()
            if step not in seen:
                seen.add(step)
                stack += after.get(step, ())
        if path not in seen:
            kept[needed, path] = need
    return kept


def _rows(graph: Graph, pairs: dict[Pair, str]) -> tuple[list[list[str]], dict[Pair, list[str]]]:
    """Names by row, and every arrow as a chain with a place in each row that it crosses; arrows of one kind from one box share theirs."""
    row = _depths(graph, pairs)
    rows: list[list[str]] = [[] for _ in range(max(row.values(), default=-1) + 1)]
    for path in graph.boxes:
        rows[row[path]].append(path)
    chains = {}
    for (a, b), need in pairs.items():
        bends = {i: f"\0{a}\0{need}\0{i}" for i in range(row[a] + 1, row[b])}
        for i, bend in bends.items():
            if bend not in rows[i]:
                rows[i].append(bend)
        chains[a, b] = [a, *bends.values(), b]
    return rows, chains


def _depths(graph: Graph, pairs: dict[Pair, str]) -> dict[str, int]:
    """The row of each box: below all that it needs, and what needs nothing stands right above what needs it."""
    before: dict[str, list[str]] = {path: [] for path in graph.boxes}
    after: dict[str, list[str]] = {path: [] for path in graph.boxes}
    for needed, path in pairs:
        before[path].append(needed)
        after[needed].append(path)
    depth: dict[str, int] = {}
    stack = list(graph.boxes)
    order = []
    while stack:
        path = stack[-1]
        open_ones = [b for b in before[path] if b not in depth]
        if path in depth or not open_ones:
            stack.pop()
            if path not in depth:
                depth[path] = 1 + max((depth[b] for b in before[path]), default=-1)
                order.append(path)
        else:
            stack.extend(open_ones)
    for path in reversed(order):
        if after[path]:
            depth[path] = min(depth[p] for p in after[path]) - 1
    return depth


def _neighbours(chains: dict[Pair, list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in chains.values():
        for a, b in pairwise(chain):
            below.setdefault(a, []).append(b)
            above.setdefault(b, []).append(a)
    return above, below


def _order(rows: list[list[str]], chains: dict[Pair, list[str]], sweeps: int = 8) -> None:
    """Order each row by the middle of its neighbours, down and up, so that few arrows cross."""
    above, below = _neighbours(chains)
    for sweep in range(sweeps):
        down = sweep % 2 == 0
        for i in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            other = {n: k for k, n in enumerate(rows[i - 1 if down else i + 1])}
            here = {n: float(k) for k, n in enumerate(rows[i])}
            for name in rows[i]:
                near = [other[n] for n in (above if down else below).get(name, ())]
                here[name] = sum(near) / len(near) if near else here[name]
            rows[i].sort(key=here.__getitem__)


def _place(rows: list[list[str]], chains: dict[Pair, list[str]], widths: dict[str, float], sweeps: int = 24) -> dict[str, float]:
    """The middle of each name: as near to its neighbours' as its row allows."""
    above, below = _neighbours(chains)
    middles = {n: 0.0 for row in rows for n in row}
    for sweep in range(sweeps):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            near = {n: [middles[m] for m in (*above.get(n, ()), *below.get(n, ()))] for n in row}
            wanted = [sum(near[n]) / len(near[n]) if near[n] else middles[n] for n in row]
            gaps = [(widths[a] + widths[b]) / 2 + _GAP_X for a, b in pairwise(row)]
            to_right = _apart(wanted, gaps)
            to_left = [-x for x in reversed(_apart([-x for x in reversed(wanted)], gaps[::-1]))]
            middles.update({n: (a + b) / 2 for n, a, b in zip(row, to_right, to_left, strict=True)})
    left = min((middles[n] - widths[n] / 2 for n in middles), default=0.0) - _PAD
    return {n: x - left for n, x in middles.items()}


def _apart(wanted: list[float], gaps: list[float]) -> list[float]:
    """Each at its wanted place or as far to the right as the gaps demand."""
    found: list[float] = []
    for x, gap in zip(wanted, [0.0, *gaps], strict=True):
        found.append(max(x, found[-1] + gap) if found else x)
    return found


def _edge(chain: list[str], need: str, at: dict[str, tuple[float, float]]) -> str:
    x, y = at[chain[0]]
    y += _BOX_H
    path = [f"M{x:.0f} {y:.0f}"]
    for name in chain[1:]:
        nx, ny = at[name]
        path.append(f"C{x:.0f} {(y + ny) / 2:.0f} {nx:.0f} {(y + ny) / 2:.0f} {nx:.0f} {ny:.0f}")
        x, y = nx, ny
        if name.startswith("\0"):
            y += _BOX_H
            path.append(f"V{y:.0f}")
    return f'<path class="edge{" ready" if need == "ready" else ""}" marker-end="url(#a)" d="{" ".join(path)}"/>'


def _box(box: Box, at: tuple[float, float], width: float, color: str) -> str:
    x, y = at[0] - width / 2, at[1]
    hint = f"{box.path}: {box.type}" + (f", {box.status}" if box.status else "")
    return (
        f'<g id="r-{escape(box.path, quote=True)}" class="{_CLASSES.get(box.status, "")}"><title>{escape(hint)}</title>'
        f'<rect class="box" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_BOX_H}" rx="6"/>'
        f'<rect x="{x + 6:.0f}" y="{y + 9:.0f}" width="4" height="{_BOX_H - 18}" rx="2" fill="{color}"/>'
        f'<text class="name" x="{x + 16:.0f}" y="{y + 18:.0f}">{escape(box.path)}</text>'
        f'<text class="type" x="{x + 16:.0f}" y="{y + 33:.0f}">{escape(box.type)}</text></g>'
    )
