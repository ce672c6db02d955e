"""A quick look whether a value is valid by a schema: what is certainly valid needs no report, and no jsonschema.

Knows the keywords that resource types use. Whatever it is not sure of it leaves to jsonschema, which also words the faults.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from stackengine.model.values import SecretRef, Unknown, Value

_SILENT = frozenset(
    (
        *("description", "apply", "applyBy", "default", "refers", "examples", "optional", "completes", "slot", "inject", "opens", "gives", "title", "when"),
        *("needs", "tested", "sensitive", "fromMetadata", "fromSignals", "claims"),
        *("type", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum", "exclusiveMinimum", "minLength", "pattern"),
        "$defs",
    )
)
"""Keywords that say nothing about validity, or that are looked at below."""


_KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "string": (str,), "boolean": (bool,), "object": (dict,), "array": (list,), "null": (type(None),),
}  # fmt: skip


def fits(value: Value, schema: dict[str, Any]) -> bool:
    """Whether ``value`` is certainly valid; what is known only after apply fits everywhere."""
    if isinstance(value, (Unknown, SecretRef)):
        return True
    if not _SILENT.issuperset(schema):
        return False
    wanted = schema.get("type")
    if wanted is not None and not (_is(value, wanted) if isinstance(wanted, str) else any(_is(value, t) for t in wanted)):
        return False
    if "enum" in schema and not any(type(value) is type(e) and value == e for e in schema["enum"]):
        return False
    if isinstance(value, dict):
        return _mapping_fits(value, schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return isinstance(items, dict) and all(fits(v, items) for v in value)
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return len(value) >= schema.get("minLength", 0) and (pattern is None or _compiled(pattern).search(value) is not None)
    return _number_fits(value, schema)


def _is(value: Value, kind: str) -> bool:
    return type(value) in _KINDS.get(kind, ())


def _mapping_fits(value: dict[str, Value], schema: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    if any(name not in value for name in schema.get("required", ())):
        return False
    for name, inner in value.items():
        part = properties.get(name, more)
        if part is False or (part is not True and not (isinstance(part, dict) and fits(inner, part))):
            return False
    return True


def _number_fits(value: Value, schema: dict[str, Any]) -> bool:
    if type(value) not in (int, float):
        return True
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    return (low is None or value >= low) and (high is None or value <= high) and (above is None or value > above)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
