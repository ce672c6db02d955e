"""Parts of values: keys and indexes into lists, maps and complex types (TOSCA 2.0, 10.2.2; Simple Profile 1.3, 4.4.2)."""

from __future__ import annotations

from stackengine.formats.tosca.definitions import Definitions, Schema
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Call, Expr, List, Literal, Map

_WHOLE = ("integer", "float", "boolean", "timestamp", "version", "scalar", "bytes")


def dig(expr: Expr, keys: tuple[Expr, ...], call: Node, what: str = "") -> Expr:
    """A part of a value: found now where that can be, else when the value is known, and then refused where it is not there."""
    for number, key in enumerate(keys):
        part: Expr | None = None
        if isinstance(expr, Map) and isinstance(key, Literal):
            part = expr.get(str(key.value)) or Literal(None, call.mark)
        elif isinstance(expr, List) and isinstance(key, Literal) and isinstance(key.value, int) and 0 <= key.value < len(expr.items):
            part = expr.items[key.value]
        if part is None:
            return into(expr, keys[number:], call, what)
        expr = part
    return expr


def into(expr: Expr, keys: tuple[Expr, ...], call: Node, what: str = "") -> Call:
    """A part of a value that is known later; there must be one. ``what`` names the value for people."""
    return Call("dig", (expr, List(keys), Literal(what or "the value")), call.mark)


def misled(definitions: Definitions, expr: Expr | None, schema: Schema | None, keys: tuple[Expr, ...], what: str) -> tuple[Expr, str, str] | None:
    """(key, what is wrong with it, hint) of the first key that leads nowhere for sure: by the type of the value, or by the value where it is written."""
    for key in keys:
        if not isinstance(key, Literal) or isinstance(key.value, (list, dict)):
            return None
        shape = definitions.schema_shape(schema) if schema is not None else None
        base = shape.base if shape is not None else "?"
        whole = base in _WHOLE or (base == "string" and schema is not None and schema.type is not None and schema.type.declared is None)
        if whole and not (base == "version" or expr is None):
            return key, f"{what} is of type {schema.type.name if schema is not None and schema.type is not None else base}, which has no parts", ""
        if isinstance(expr, List) or base == "list":
            if not isinstance(key.value, int) or isinstance(key.value, bool) or key.value < 0:
                return key, f"{what} is a list, whose entries are named by their numbers, not by {key.value}", "the first is 0"
            if isinstance(expr, List) and key.value >= len(expr.items):
                return key, f"{what} has no entry {key.value}", f"it has {len(expr.items)}, numbered from 0" if expr.items else "it is empty"
            expr = expr.items[key.value] if isinstance(expr, List) else Literal(None)
            schema = (schema.entry if schema is not None else None) or (shape.entry if shape is not None else None)
            what = f"{what}[{key.value}]"
            continue
        name = str(key.value)
        known = shape.properties if shape is not None and base == "complex" else {}
        there = [e.key for e in expr.entries] if isinstance(expr, Map) else []
        if (known and name not in known) or (isinstance(expr, Map) and name not in known and name not in there):
            return key, f"{what} has no {'property' if known else 'entry'} {name}", did_you_mean(name, [*known, *there])
        expr = expr.get(name) if isinstance(expr, Map) else Literal(None)
        schema = known[name].schema if name in known else (schema.entry if schema is not None else None) or (shape.entry if shape is not None else None)
        what = f"{what}.{name}"
        if expr is None:
            return None
    return None
