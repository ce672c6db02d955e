"""Functions that mean something else in CloudFormation than in HOT: it compares and selects as text, and says its own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stackengine.evaluate.functions.text import to_text


class ToldError(ValueError):
    """A refusal in the language's own words."""


class NoKeyError(ToldError):
    """A mapping has no such key."""

    def __init__(self, name: str, top: str, second: str) -> None:
        super().__init__(f"Template error: Unable to get mapping for {name}::{top}::{second}")
        self.keys = (top, second)


class NamedMapping(dict[str, Any]):
    """A mapping of the template that knows its name."""

    def __init__(self, name: str, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.name = name


def find_in_map(mapping: Any, top: Any, second: Any, *default: Any) -> Any:
    """Fn::FindInMap."""
    found = mapping.get(to_text(top)) if isinstance(mapping, dict) else None
    if isinstance(found, dict) and to_text(second) in found:
        return found[to_text(second)]
    if default:
        return default[0]
    name = mapping.name if isinstance(mapping, NamedMapping) else "…"
    raise NoKeyError(name, to_text(top), to_text(second))


def same_text(one: Any, other: Any) -> bool:
    """Fn::Equals: a comparison of text, case-sensitive; a number or a boolean is the text that stands for it."""
    if isinstance(one, (dict, list)) or isinstance(other, (dict, list)):
        return bool(one == other)
    return to_text(one) == to_text(other)


def select_item(index: Any, items: Any) -> Any:
    """Fn::Select."""
    try:
        position = int(str(index))
    except ValueError:
        raise ToldError("Template error: Fn::Select requires a list argument with two elements: an integer index and a list") from None
    if not isinstance(items, list):
        raise ToldError("Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
    if not 0 <= position < len(items):
        raise ToldError(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
    return items[position]


def contains_item(items: Any, value: Any) -> bool:
    """Fn::Contains of Rules."""
    return to_text(value) in [to_text(i) for i in _listed(items)]


def each_member_equals(items: Any, value: Any) -> bool:
    """Fn::EachMemberEquals."""
    return all(to_text(i) == to_text(value) for i in _listed(items))


def each_member_in(items: Any, among: Any) -> bool:
    """Fn::EachMemberIn."""
    known = [to_text(i) for i in _listed(among)]
    return all(to_text(i) in known for i in _listed(items))


def _listed(items: Any) -> list[Any]:
    """A list, lists in it opened (Fn::RefAll of parameters that are lists)."""
    if not isinstance(items, list):
        return [items]
    return [part for item in items for part in (item if isinstance(item, list) else [item])]


def secret_key(secret: Any, key: Any) -> Any:
    """One key of a secret that is a JSON text (``{{resolve:secretsmanager:…:SecretString:key}}``)."""
    try:
        found = json.loads(secret) if isinstance(secret, str) else secret
        return to_text(found[key])
    except (ValueError, KeyError, TypeError):
        raise ToldError(f"Could not find a value associated with JSONKey {key} in SecretString") from None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "find_in_map": find_in_map,
    "same_text": same_text,
    "select_item": select_item,
    "contains_item": contains_item,
    "each_member_equals": each_member_equals,
    "each_member_in": each_member_in,
    "secret_key": secret_key,
}
