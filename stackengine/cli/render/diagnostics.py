"""Diagnostics for people: place, code, snippet with caret, hint; all of a run at once, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import width
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.mark import Mark

_COLORS = {"error": "red", "warning": "yellow", "notice": "cyan"}
_WINDOW = 120
"""Columns of a line that are shown: a template in JSON may be one line of many thousands."""


class Lines:
    """The lines of source files, from memory where given, else from disk."""

    def __init__(self, sources: Mapping[str, str] | None = None) -> None:
        self._known = {name: text.splitlines() for name, text in (sources or {}).items()}

    def get(self, file: str, line: int) -> str | None:
        """Line ``line`` (from 1), or None where it cannot be read."""
        if file not in self._known:
            try:
                self._known[file] = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                self._known[file] = []
        lines = self._known[file]
        return lines[line - 1] if 0 < line <= len(lines) else None


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str] | None = None, style: Style = PLAIN) -> str:
    """All of them, sorted, and a line that counts them."""
    lines = Lines(sources)
    found = list(Diagnostics(list(diagnostics)))
    return "\n\n".join([*("\n".join(_one(d, lines, style)) for d in found), summary(found)])


def _one(diagnostic: Diagnostic, lines: Lines, style: Style) -> list[str]:
    color = _COLORS[diagnostic.severity]
    text = [style.paint(f"{diagnostic.severity}[{diagnostic.code}]", color, "bold") + style.paint(f": {diagnostic.summary}", "bold")]
    mark = diagnostic.mark
    margin = " " * len(str(mark.line))
    if mark.file:
        text.append(f"{margin}{style.paint('-->', 'blue')} {mark}")
        text += snippet(mark, lines, style, color)
    for word, line in (("note", diagnostic.detail), ("hint", diagnostic.hint)):
        if line:
            text.append(f"{margin} {style.paint('=', 'blue')} {style.paint(word, 'cyan')}: {line}")
    return text


def snippet(mark: Mark, lines: Lines, style: Style = PLAIN, color: str = "red") -> list[str]:
    """The marked line with the one before it and a caret below; nothing where the file cannot be read."""
    line = lines.get(mark.file, mark.line)
    if line is None:
        return []
    gutter = len(str(mark.line))
    bar = style.paint("|", "blue")
    shown, before, marked = _window(line, mark)
    out = [f"{' ' * gutter} {bar}"]
    previous = lines.get(mark.file, mark.line - 1)
    if previous and previous.strip() and shown == line.expandtabs(4):
        out.append(f"{style.paint(str(mark.line - 1).rjust(gutter), 'dim')} {bar} {previous.expandtabs(4)[:_WINDOW]}".rstrip())
    out.append(f"{mark.line} {bar} {shown}".rstrip())
    out.append(f"{' ' * gutter} {bar} {' ' * before}{style.paint('^' * marked, color, 'bold')}")
    return out


def _window(line: str, mark: Mark) -> tuple[str, int, int]:
    """The part of the line that is shown, the columns before the caret, and how many are marked."""
    start = min(mark.col - 1, len(line))
    end = mark.end_col - 1 if mark.end_line == mark.line else len(line.rstrip())
    head, body = line[:start].expandtabs(4), line[start : max(end, start + 1)].expandtabs(4)
    whole = line.expandtabs(4)
    skip = max(0, len(head) - _WINDOW // 2) if len(whole) > _WINDOW else 0
    shown = whole[skip : skip + _WINDOW]
    dots = "… " if skip else ""
    room = max(1, _WINDOW - (len(head) - skip))
    return dots + shown + (" …" if skip + _WINDOW < len(whole) else ""), width(dots + head[skip:]), max(1, min(width(body), room))


def summary(found: Iterable[Diagnostic]) -> str:
    """``2 errors, 1 warning``, or that there is nothing wrong."""
    kinds = [d.severity for d in found]
    counts = [f"{kinds.count(k)} {k}{'s' if kinds.count(k) > 1 else ''}" for k in ("error", "warning", "notice") if k in kinds]
    return ", ".join(counts) or "no errors"


def place(mark: Mark) -> dict[str, Any] | None:
    """A mark as data, or None where there is none."""
    if not mark.file:
        return None
    return {"file": mark.file, "line": mark.line, "column": mark.col, "end_line": mark.end_line, "end_column": mark.end_col}


def to_data(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics as JSON, sorted."""
    return [
        {"code": d.code, "severity": d.severity, "summary": d.summary, "mark": place(d.mark), "hint": d.hint, "detail": d.detail}
        for d in Diagnostics(list(diagnostics))
    ]
