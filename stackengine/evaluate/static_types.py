"""What can be said of a value that is known only after apply: what it refers to, and of what type it will be. Found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackengine.evaluate.kinds import RECORD
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Expr, Literal, Ref
from stackengine.model.values import PLAIN, Unknown, Value
from stackengine.registry import ResourceTypeInfo

_CALLS = {
    **dict.fromkeys(("join", "list_join", "str_replace", "str_replace_strict", "base64", "to_json", "digest", "make_url", "token"), "string"),
    **dict.fromkeys(("split", "cidr", "list_concat", "list_concat_unique", "repeat", "availability_zones", "as_list"), "array"),
    **dict.fromkeys(("map_merge", "map_replace"), "object"),
    **dict.fromkeys(("equals", "and", "or", "not"), "boolean"),
}
"""Of what type the result of a function is, whatever its arguments are."""
_SCALARS = frozenset(("string", "number", "integer", "boolean"))
"""Languages write these as each other; what they are in the end is checked when the value is there."""


def check_types(path: str, properties: Mapping[str, Value], info: ResourceTypeInfo, types: Mapping[str, ResourceTypeInfo], diagnostics: Diagnostics) -> None:
    """Report references to resources of the wrong type (V118) and values of the wrong type (V119)."""
    for where, unknown, schema in _late(properties, {"properties": info.properties}, ""):
        expr = unknown.expr
        wanted = schema.get("refers")
        refers = (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
        if refers and isinstance(expr, Ref) and expr.target in types and types[expr.target].name not in (*refers, RECORD):
            what = f"{path}.{where} must refer to {' or '.join(refers)}; {expr.target} is {types[expr.target].name}"
            diagnostics.error("V118", what, expr.mark)
            continue
        kind = type_of(expr, types)
        kinds = schema.get("type")
        allowed = frozenset((kinds,) if isinstance(kinds, str) else kinds or ())
        if kind and allowed and kind not in allowed and not (kind in _SCALARS and allowed & _SCALARS):
            diagnostics.error("V119", f"{path}.{where}: {unknown.describe()} will be {_words(kind)}, and it must be {_words(*sorted(allowed))}", expr.mark)


def _late(value: Value, schema: Any, path: str) -> Iterator[tuple[str, Unknown, dict[str, Any]]]:
    """Every value that is known late, where the schema says something of its place."""
    if not isinstance(schema, dict):
        return
    if isinstance(value, Unknown):
        yield path, value, schema
    elif isinstance(value, Mapping):
        parts = schema.get("properties", {})
        for name, inner in value.items():
            if type(inner) in PLAIN:
                continue
            yield from _late(inner, parts.get(name, schema.get("additionalProperties")), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _late(inner, schema.get("items"), f"{path}.{number}")


def type_of(expr: Expr, types: Mapping[str, ResourceTypeInfo]) -> str:
    """The JSON type that an expression will have, or empty where nobody can know."""
    match expr:
        case Ref():
            return "string"
        case Attr(target=target, path=(Literal(value=name),)) if target in types:
            found = types[target].attributes.get(str(name), {}).get("type", "")
            return found if isinstance(found, str) else ""
        case Call(fn=fn):
            return _CALLS.get(fn, "")
        case _:
            return ""


def _words(*kinds: str) -> str:
    return " or ".join({"array": "a list", "object": "a mapping", "integer": "a whole number", "null": "nothing"}.get(k, f"a {k}") for k in kinds)
