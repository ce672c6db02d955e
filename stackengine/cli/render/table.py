"""Columns of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from stackengine.cli.render.style import PLAIN, Style

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: colours none, wide characters two, combining ones none."""
    plain = _ESCAPES.sub("", text)
    if plain.isascii():
        return len(plain)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


def pad(text: str, columns: int) -> str:
    """``text`` filled with blanks to ``columns``."""
    return text + " " * (columns - width(text))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], style: Style = PLAIN, indent: str = "") -> str:
    """Rows under headers, each column as wide as its widest cell, two blanks apart."""
    widths = [max([width(h), *(width(r[i]) for r in rows)]) for i, h in enumerate(headers)]

    def line(cells: Sequence[str]) -> str:
        return (indent + "  ".join(pad(c, w) for c, w in zip(cells, widths, strict=True))).rstrip()

    return "\n".join([style.paint(line([h.upper() for h in headers]), "dim"), *(line(r) for r in rows)])
