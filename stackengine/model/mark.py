"""Where something stands in a source file."""

from __future__ import annotations

from typing import NamedTuple


class Mark(NamedTuple):
    """A range of a source file; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


NOWHERE = Mark("", 0, 0, 0, 0)
"""The mark of something that no file says (an engine-made default, a command line)."""
