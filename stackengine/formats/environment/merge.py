"""Values of several environment files merged by strategy (heat, common/environment_util.py)."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from stackengine.formats.environment.files import Layer
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import NOWHERE


def merged(layers: Sequence[Layer], kinds: Mapping[str, str], diagnostics: Diagnostics) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, parameter_defaults) of all layers; a later file wins, unless a strategy says that it adds to what was there.

    ``kinds``: the type of each parameter of the templates. The first strategy said for a parameter counts for all files; another is E107.
    """
    parameters: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for layer in layers:
        for into, given in ((parameters, layer.parameters), (defaults, layer.defaults)):
            for name, value in given.items():
                strategy = _strategy(name, layer, chosen, diagnostics)
                try:
                    into[name] = _added(into.get(name), value, kinds.get(name, ""), strategy)
                except ValueError as error:
                    diagnostics.error("E107", f"parameter {name} cannot be merged: {error}", layer.marks.get(name, NOWHERE))
    return parameters, defaults


def _strategy(name: str, layer: Layer, chosen: dict[str, str], diagnostics: Diagnostics) -> str:
    default = layer.strategies.get("default", "overwrite")
    wanted = layer.strategies.get(name) or (chosen.get(name, default) if layer.strategies else "overwrite")
    known = chosen.setdefault(name, wanted)
    if wanted != known:
        what = f"the files do not agree how {name} is merged: {known}, and here {wanted}"
        diagnostics.error("E107", what, layer.marks.get(name, NOWHERE), "say the same strategy in every file that gives it a value")
    return known


def _added(old: Any, new: Any, kind: str, strategy: str) -> Any:
    if strategy == "overwrite" or old is None or new is None:
        return old if new is None and old is not None else new
    deep = strategy == "deep_merge"
    match kind:
        case "json":
            before, after = _json(old), _json(new)
            return _maps(before, after, deep=deep) if isinstance(before, dict) and isinstance(after, dict) else _lists(before, after)
        case "list":
            return _lists(old, new)
        case "string":
            return f"{old}{new}"
        case "number":
            return old + new if isinstance(old, (int, float)) and isinstance(new, (int, float)) else new
        case "boolean":
            raise ValueError("a boolean has nothing to be merged")
    return new


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("the value is no JSON") from None


def _lists(old: Any, new: Any) -> Any:
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    if isinstance(old, str) and isinstance(new, str):
        return f"{old},{new}" if old else new
    raise ValueError("one is a list and the other is none")


def _maps(old: dict[str, Any], new: dict[str, Any], *, deep: bool) -> dict[str, Any]:
    found = copy.deepcopy(old)
    for key, value in new.items():
        before = found.get(key)
        if value is None:
            continue
        if not deep or before is None:
            found[key] = value
        elif isinstance(value, dict) and isinstance(before, dict):
            found[key] = _maps(before, value, deep=True)
        elif isinstance(value, list) and isinstance(before, list):
            found[key] = [*before, *value]
        elif isinstance(value, str) and isinstance(before, str):
            found[key] = before + value
        else:
            found[key] = value
    return found
