"""TOSCA's own functions; what they mean is in :mod:`stackengine.formats.tosca.semantics`, which checks literals while templates are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stackengine.evaluate.functions.cloudformation import ToldError
from stackengine.formats.tosca import semantics


def builtin(name: str, units: dict[str, float] | None, *args: Any) -> Any:
    """A function of TOSCA 2.0, 10.2, by name; ``units`` are those of its scalars."""
    return semantics.call(name, list(args), units=units)


def ruled(value: Any, rule: list[Any], detail: dict[str, Any], *given: Any) -> Any:
    """``value``, which must keep a rule of its property; ValueError where it does not."""
    if value is None:
        return value
    terms = semantics.Terms(value, given, detail["base"], detail["units"] or None)
    if not terms.of(rule):
        raise ValueError(f"{detail['what']} must {detail['words']}, and is {value!r}")
    return value


def index(text: Any) -> int:
    """The number of a node among those of its template."""
    return int(text) if str(text).isdigit() else 0


def output(value: Any, base: str) -> Any:
    """What an operation wrote: text without the line breaks at its end, as a shell takes it; JSON where the attribute is no text."""
    if not isinstance(value, str):
        return value
    text = value.rstrip("\n")
    if base not in ("integer", "float", "boolean", "list", "map", "complex"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"an operation wrote {text[:80]!r}, and the attribute is of type {base}") from None


def reached(what: str, value: Any, keys: list[Any]) -> None:
    """None, where a path of keys leads to a null or starts at no value at all; ToldError where it leads nowhere."""
    for key in keys:
        if value is None:
            return
        if isinstance(value, list):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise ToldError(f"{what} has no entry {key}: it is a list of {len(value)}, numbered from 0")
            value, what = value[key], f"{what}[{key}]"
        elif isinstance(value, dict):
            if str(key) not in value:
                raise ToldError(f"{what} has no entry {key}" + (f"; it has {', '.join(map(str, value))}" if value else ": it is empty"))
            value, what = value[str(key)], f"{what}.{key}"
        else:
            raise ToldError(f"{what} has no entry {key}: it is neither a list nor a map")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tosca": builtin, "tosca_rule": ruled, "tosca_index": index, "tosca_image": semantics.image_name, "tosca_output": output, "reached": reached,
}  # fmt: skip
