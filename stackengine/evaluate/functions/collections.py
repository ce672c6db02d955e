"""Functions over lists and maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def select(index: Any, items: Any) -> Any:
    """CloudFormation Fn::Select, HOT str_split with an index."""
    if not isinstance(items, list):
        raise ValueError("select needs a list")
    try:
        position = int(index)
    except (TypeError, ValueError):
        raise ValueError(f"select needs a number, not {index!r}") from None
    if not 0 <= position < len(items):
        raise ValueError(f"there is no item {position} in a list of {len(items)}")
    return items[position]


def length(items: Any) -> int:
    """CloudFormation Fn::Length."""
    return len(items)


def as_list(value: Any) -> list[Any]:
    """A list, or comma-separated text as one: what a list parameter makes of a value that is known late."""
    if isinstance(value, list):
        return value
    return [part.strip() for part in str(value).split(",")] if value not in ("", None) else []


def after(value: Any, _others: Any) -> Any:
    """``value``, once all of ``_others`` are known: what a bare reference to a nested template or group gives."""
    return value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "select": select,
    "length": length,
    "as_list": as_list,
    "after": after,
}
