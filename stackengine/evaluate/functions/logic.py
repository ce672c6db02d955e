"""Conditions: equals, and, or, not, contains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def truth(value: Any) -> bool:
    """A condition's value; languages write booleans as text, too."""
    if isinstance(value, str):
        if value.lower() in ("true", "1", "yes", "on"):
            return True
        if value.lower() in ("false", "0", "no", "off", ""):
            return False
        raise ValueError(f"{value!r} is not a condition")
    return bool(value)


def equals(one: Any, other: Any) -> bool:
    """Equal; numbers and booleans also equal their text, as parameters are text in two of three languages."""
    if type(one) is not type(other) and isinstance(one, (str, int, float, bool)) and isinstance(other, (str, int, float, bool)):
        return _text(one) == _text(other)
    return bool(one == other)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def all_of(*conditions: Any) -> bool:
    """Every one holds."""
    return all(truth(c) for c in conditions)


def any_of(*conditions: Any) -> bool:
    """At least one holds."""
    return any(truth(c) for c in conditions)


def negate(condition: Any) -> bool:
    """It does not hold."""
    return not truth(condition)


def contains(value: Any, sequence: Any) -> bool:
    """HOT contains, Fn::Contains."""
    return value in sequence


FUNCTIONS: dict[str, Callable[..., Any]] = {"equals": equals, "and": all_of, "or": any_of, "not": negate, "contains": contains}
