"""CloudFormation hands every scalar on as text or as it is written: a property takes what its type can make of it."""

from __future__ import annotations

import re
from typing import Any

from stackengine.evaluate.functions.text import to_text
from stackengine.model.values import Sensitive, Value

_INTEGER, _NUMBER = re.compile(r"[-+]?\d+\Z"), re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z")


def coerced(value: Value, schema: dict[str, Any]) -> Value:
    """``value`` with its scalars as ``schema`` wants them; what cannot be one stays as it is, and validation says so."""
    if isinstance(value, Sensitive):
        return Sensitive(coerced(value.value, schema))
    if isinstance(value, dict):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties")
        return {k: coerced(v, properties.get(k, more if isinstance(more, dict) else {})) for k, v in value.items()}
    if isinstance(value, list):
        items = schema.get("items")
        return [coerced(v, items if isinstance(items, dict) else {}) for v in value]
    if not isinstance(value, (str, int, float)):
        return value
    wanted = schema.get("type")
    types = (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
    return value if not types or _fits(value, types) else _made(value, types)


def _fits(value: Any, types: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, str):
        return "string" in types
    return "number" in types or (isinstance(value, int) and "integer" in types)


def _made(value: Any, types: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        if "integer" in types and _INTEGER.match(value):
            return int(value)
        if "number" in types and _NUMBER.match(value):
            return float(value) if "." in value or "e" in value.lower() else int(value)
        if "boolean" in types and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return value
    return to_text(value) if "string" in types else value
