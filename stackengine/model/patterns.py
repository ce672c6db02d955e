"""Regular expressions that templates bring: matched within a time limit that always holds.

Backtracking can take years on forty characters. A pattern that repeats at most one character or class cannot, and goes through ``re``; every other one goes
through ``regex``, which looks at the clock while it tries.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

LIMIT = 0.5
"""Seconds for one match."""
MAX_PATTERN = 20_000
"""Characters; what compiles a pattern looks at no clock."""

How = Literal["match", "fullmatch", "search"]

_REPEATED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\(\?)|([*+?{])", re.DOTALL)
"""What follows: an escape, a class, the start of a special group, or a repetition (the second group)."""


class TooSlowError(ValueError):
    """A pattern that tries too many ways."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"the regular expression {pattern if len(pattern) <= 60 else pattern[:57] + '…'} takes longer than {LIMIT} s")


def is_plain(pattern: str) -> bool:
    """Whether a pattern repeats at most one thing, and no group, so that no text makes it slow."""
    repeated = [m.start() for m in _REPEATED.finditer(pattern) if m.group(2)]
    return len(repeated) <= 1 and not any(pattern[:at].endswith(")") for at in repeated) and not pattern.startswith("(?V1)")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"it has more than {MAX_PATTERN} characters")
    if is_plain(pattern):
        return re.compile(pattern)
    import regex

    return regex.compile(pattern)


def compiled(pattern: str) -> Any:
    """The compiled pattern; ValueError says what is wrong with it."""
    try:
        return _compiled(pattern)
    except (RecursionError, OverflowError, MemoryError) as error:
        raise ValueError(str(error) or "it is nested too deeply") from None
    except Exception as error:
        if isinstance(error, ValueError) or type(error).__name__ == "error":  # re.error and regex.error are no ValueErrors
            raise ValueError(str(error)) from None
        raise


def found(pattern: str, text: str, how: How = "match") -> Any:
    """The match object or None; ValueError for what is no pattern, TooSlowError where it takes too long."""
    expression = compiled(pattern)
    if isinstance(expression, re.Pattern):
        return getattr(expression, how)(text)
    return timed(expression, how, text)


def timed(expression: Any, how: str, *args: Any) -> Any:
    """A method of a compiled ``regex`` pattern, within the limit."""
    try:
        return getattr(expression, how)(*args, timeout=LIMIT)
    except TimeoutError:
        raise TooSlowError(expression.pattern) from None
