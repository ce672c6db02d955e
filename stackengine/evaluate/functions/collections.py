"""Functions over lists and maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from stackengine.evaluate.functions.text import to_text


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


def list_concat(*lists: Any) -> list[Any]:
    """HOT list_concat."""
    return [i for part in lists for i in (part or [])]


def list_concat_unique(*lists: Any) -> list[Any]:
    """HOT list_concat_unique: first occurrence stays."""
    found: list[Any] = []
    for item in list_concat(*lists):
        if item not in found:
            found.append(item)
    return found


def map_merge(*maps: Any) -> dict[str, Any]:
    """HOT map_merge: later ones win."""
    merged: dict[str, Any] = {}
    for part in maps:
        merged.update(part or {})
    return merged


def map_replace(source: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """HOT map_replace: keys and values replaced by name."""
    keys, values = changes.get("keys") or {}, changes.get("values") or {}
    return {keys.get(k, k): values.get(v, v) if isinstance(v, (str, int, float, bool)) else v for k, v in source.items()}


def find_in_map(mapping: Any, top: Any, second: Any, *default: Any) -> Any:
    """CloudFormation Fn::FindInMap."""
    found = mapping.get(str(top)) if isinstance(mapping, dict) else None
    if isinstance(found, dict) and str(second) in found:
        return found[str(second)]
    if default:
        return default[0]
    raise ValueError(f"the mapping has no key {top!r} / {second!r}")


def repeat(template: Any, for_each: dict[str, Any]) -> list[Any]:
    """HOT repeat: the template once for every combination, names replaced in all its text."""
    names = list(for_each)
    lists = [list(v) if not isinstance(v, list) else v for v in for_each.values()]
    return [_replaced(template, dict(zip(names, combination, strict=True))) for combination in itertools.product(*lists)]


def _replaced(value: Any, names: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {_replaced(k, names): _replaced(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, names) for v in value]
    if isinstance(value, str):
        if value in names:
            return names[value]
        for name in sorted(names, key=len, reverse=True):
            value = value.replace(name, to_text(names[name]))
    return value


def filter_out(values: Any, sequence: Any) -> list[Any]:
    """HOT filter: ``sequence`` without ``values``."""
    return [i for i in sequence if i not in values]


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
    "list_concat": list_concat,
    "list_concat_unique": list_concat_unique,
    "map_merge": map_merge,
    "map_replace": map_replace,
    "find_in_map": find_in_map,
    "repeat": repeat,
    "filter": filter_out,
    "as_list": as_list,
    "after": after,
}
