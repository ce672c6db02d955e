"""Values against their types: every literal is checked at its place, functions inside become expressions (TOSCA 2.0, 9.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.definitions import DataShape, Definition, Definitions, Schema
from stackengine.formats.tosca.reading import is_null
from stackengine.formats.tosca.rules import FIRST_ONLY, QUERIES, Rule
from stackengine.formats.tosca.topology import Context
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Call, Entry, Expr, List, Literal, Map

MISSING = object()
"""What is not known before the template is evaluated."""
Functions = Callable[[Node, Context], "tuple[Expr, Schema | str | None] | None"]
"""The expression of a function call and what it gives (a schema, the name of a built-in type, or nothing known); None for what is no call."""

_A = {"string": "text", "integer": "a whole number", "float": "a number", "boolean": "true or false", "timestamp": "a timestamp", "version": "a version",
      "range": "a range of two whole numbers", "list": "a list", "map": "a map", "bytes": "Base64 text", "nil": "null", "complex": "a map"}  # fmt: skip
_EXAMPLES = {"integer": "2, for example", "float": "0.5, for example", "boolean": "without quotes", "list": "[one, other], or one '- …' a line",
             "map": "one 'name: value' a line", "complex": "one 'name: value' a line", "string": "one line, or several after |"}  # fmt: skip
_SCALARS = ("string", "integer", "float", "boolean", "timestamp", "version", "scalar", "bytes", "nil")
_FROM_TEXT = ("timestamp", "version", "scalar", "bytes", "string")
"""Types whose values are written as text, so that a function that gives text may give them."""

PLAIN_NAMES = (*QUERIES, *FIRST_ONLY, "concat", "join", "token")


def fold(expr: Expr) -> Any:
    """The plain value of an expression without functions; MISSING for others."""
    match expr:
        case Literal(value=value):
            return value
        case List(items=items):
            found = [fold(i) for i in items]
            return MISSING if any(f is MISSING for f in found) else found
        case Map(entries=entries):
            folded = {e.key: fold(e.value) for e in entries}
            return MISSING if any(f is MISSING for f in folded.values()) else folded
        case _:
            return MISSING


class Values:
    """Reads values."""

    def __init__(self, definitions: Definitions, functions: Functions) -> None:
        self._definitions, self._functions = definitions, functions

    def anything(self, node: Node, context: Context) -> Expr:
        """A value of no known type."""
        called = self._functions(node, context)
        if called is not None:
            return called[0]
        if node.kind == "scalar":
            found = scalar_value(node, "core")
            return Literal(found[1:] if isinstance(found, str) and found.startswith("$$") and not context.document.reading.first else found, node.mark)
        if node.kind == "list":
            return List(tuple(self.anything(i, context) for i in node.items), node.mark)
        return Map(tuple(Entry(self._key(k, context), k.mark, self.anything(v, context)) for k, v in node.entries), node.mark)

    @staticmethod
    def _key(key: Node, context: Context) -> str:
        return key.text[1:] if key.text.startswith("$$") and not context.document.reading.first else key.text

    def defined(self, node: Node, definition: Definition, context: Context, what: str) -> Expr:
        """The value of a property, an attribute or a parameter."""
        return self.typed(node, definition.schema, context, what)

    def typed(self, node: Node, schema: Schema, context: Context, what: str) -> Expr:
        """A value of a type; what does not fit is reported (S232, S233)."""
        called = self._functions(node, context)
        shape = self._definitions.schema_shape(schema)
        if called is not None:
            expr, gives = called
            if shape is not None:
                self._gives(gives, shape, node, context, what)
            return self._ruled(expr, schema, shape, node, context, what)
        if shape is None or shape.base == "?":
            return self.anything(node, context)
        expr = self._plain(node, schema, shape, context, what)
        return self._ruled(expr, schema, shape, node, context, what) if schema.rules or shape.rules else expr

    def _gives(self, gives: Schema | str | None, shape: DataShape, node: Node, context: Context, what: str) -> None:
        """Whether what a function gives can be a value of the type."""
        found = self._definitions.schema_shape(gives) if isinstance(gives, Schema) else None
        base = gives if isinstance(gives, str) else found.base if found is not None else None
        wanted = shape.base
        if base is None or base in ("?", wanted) or wanted in ("?", "nil") or (base == "integer" and wanted == "float"):
            return
        if (base == "string" and wanted in _FROM_TEXT) or (wanted == "string" and base in _FROM_TEXT) or {base, wanted} <= {"map", "complex"}:
            return
        problem = f"{what} is {_A.get(wanted, wanted)}, but the function gives {_A.get(base, base)}"
        if context.document.reading.first and base in _SCALARS and wanted in _SCALARS:
            context.document.reading.lenient(problem, node.mark)
        else:
            context.document.reading.error("S245", problem, node.mark)

    def _wrong(self, node: Node, shape: DataShape, context: Context, what: str, hint: str = "") -> Expr:
        said = f"'{node.text}'" if node.kind == "scalar" else _A[node.kind]
        if node.kind == "map" and len(node.entries) == 1 and node.entries[0][0].text in PLAIN_NAMES and not context.document.reading.first:
            hint = f"functions start with a dollar sign in 2.0: ${node.entries[0][0].text}"
        problem = f"{what} is {_A.get(shape.base, f'a {shape.base}')}, not {said}"
        context.document.reading.error("S232", problem, node.mark, hint or _EXAMPLES.get(shape.base, ""))
        return Literal(None, node.mark)

    def _plain(self, node: Node, schema: Schema, shape: DataShape, context: Context, what: str) -> Expr:
        if is_null(node) and shape.base != "nil":
            if not context.document.reading.first:
                return self._wrong(node, shape, context, what, "leave it out for no value")
            return Literal(None, node.mark)
        base = shape.base
        if base == "list":
            if node.kind != "list":
                return self._wrong(node, shape, context, what)
            entry = schema.entry or shape.entry or Schema(None)
            return List(tuple(self.typed(i, entry, context, f"{what}, entry {n}") for n, i in enumerate(node.items)), node.mark)
        if base == "map":
            return self._map(node, schema, shape, context, what)
        if base == "complex":
            return self._complex(node, shape, context, what)
        if base == "range":
            return self._range(node, shape, context, what)
        if node.kind != "scalar":
            return self._wrong(node, shape, context, what)
        return getattr(self, f"_{base}")(node, shape, context, what)  # type: ignore[no-any-return]  # one method for each built-in type

    def _map(self, node: Node, schema: Schema, shape: DataShape, context: Context, what: str) -> Expr:
        if node.kind != "map":
            return self._wrong(node, shape, context, what)
        entry, keys = schema.entry or shape.entry or Schema(None), schema.key or shape.key
        found = []
        for key, value in node.entries:
            if keys is not None:
                self.typed(Node("scalar", key.mark, text=self._key(key, context), plain=False), keys, context, f"the key {key.text} of {what}")
            found.append(Entry(self._key(key, context), key.mark, self.typed(value, entry, context, f"{what}.{key.text}")))
        return Map(tuple(found), node.mark)

    def _complex(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        if node.kind != "map":
            return self._wrong(node, shape, context, what)
        given, found = {k.text for k in node.key_nodes()}, []
        for key, value in node.entries:
            definition = shape.properties.get(self._key(key, context))
            if definition is None:
                if shape.properties:
                    context.document.reading.error("S230", f"{what} has no property {key.text}", key.mark, did_you_mean(key.text, shape.properties))
                found.append(Entry(key.text, key.mark, self.anything(value, context)))
            else:
                found.append(Entry(key.text, key.mark, self.defined(value, definition, context, f"{what}.{key.text}")))
        for name, definition in shape.properties.items():
            value_node = definition.fixed if definition.fixed is not None else definition.default
            if name in given:
                continue
            if value_node is not None:
                found.append(Entry(name, node.mark, self.defined(value_node, definition, Context(definition.document, context.node, context.link), name)))
            elif definition.required:
                context.document.reading.error("S231", f"{what} needs a value for {name}", node.mark)
        return Map(tuple(found), node.mark)

    def _range(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        if node.kind != "list" or len(node.items) != 2:
            return self._wrong(node, shape, context, what, "[1, 4], for example")
        bounds = [i.text if i.text == "UNBOUNDED" else scalar_value(i, "core") if i.kind == "scalar" else None for i in node.items]
        if any(isinstance(b, bool) or not (isinstance(b, int) or b == "UNBOUNDED") for b in bounds):
            return self._wrong(node, shape, context, what, "[1, 4], for example")
        if isinstance(bounds[0], int) and isinstance(bounds[1], int) and bounds[1] < bounds[0]:
            return self._wrong(node, shape, context, what, "the lower bound comes first")
        return Literal(bounds, node.mark)

    def _string(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        found, reading = scalar_value(node, "core"), context.document.reading
        if not isinstance(found, str):
            if not reading.first:
                return self._wrong(node, shape, context, what, f'put it into quotes: "{node.text}"')
            reading.lenient(f"{what} is text, and {node.text} is not without quotes", node.mark, f'write "{node.text}"')
            return Literal(node.text, node.mark)
        return Literal(found[1:] if found.startswith("$$") and not reading.first else found, node.mark)

    def _integer(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        found = scalar_value(node, "core")
        if isinstance(found, int) and not isinstance(found, bool):
            if not -(1 << 63) <= found < 1 << 63:
                return self._wrong(node, shape, context, what, "whole numbers have 64 bits")
            return Literal(found, node.mark)
        if context.document.reading.first and isinstance(found, str) and found.strip().lstrip("+-").isdigit():
            context.document.reading.lenient(f"{what} is a whole number, and '{found}' is text", node.mark, "leave the quotes out")
            return Literal(int(found), node.mark)
        return self._wrong(node, shape, context, what)

    def _float(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        found = scalar_value(node, "core")
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return Literal(float(found), node.mark)
        if isinstance(found, str) and node.plain and found.lower().lstrip("+-") in (".inf", ".nan"):
            return Literal(found, node.mark)
        return self._wrong(node, shape, context, what)

    def _boolean(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        if node.plain and node.text in ("true", "false"):
            return Literal(node.text == "true", node.mark)
        if context.document.reading.first and node.text.lower() in ("true", "false", "yes", "no", "on", "off"):
            context.document.reading.lenient(f"{what} is true or false, not '{node.text}'", node.mark)
            return Literal(node.text.lower() in ("true", "yes", "on"), node.mark)
        return self._wrong(node, shape, context, what)

    def _timestamp(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        strict = context.document.reading.first or semantics.is_rfc_3339(node.text)
        if semantics.instant(node.text) is None or not strict:
            return self._wrong(node, shape, context, what, "2026-04-14T09:30:00Z, for example")
        return Literal(node.text, node.mark)

    def _version(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        found = scalar_value(node, "core")
        if semantics.version_key(node.text) is None:
            if context.document.reading.first and (isinstance(found, int) or node.text):
                context.document.reading.lenient(f"{what} is a version, and '{node.text}' is not written as one", node.mark, "6.5 or 6.5.2, for example")
                return Literal(node.text, node.mark)
            return self._wrong(node, shape, context, what, "6.5 or 6.5.2, for example")
        if not isinstance(found, str) and not context.document.reading.first:
            return self._wrong(node, shape, context, what, f'without quotes it is a number: "{node.text}"')
        return Literal(node.text, node.mark)

    def _scalar(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        parts = semantics.scalar_parts(node.text)
        units = shape.units or semantics.COMMON
        if parts is None:
            return self._wrong(node, shape, context, what, f"a number and a unit ({', '.join(list(units)[:6])}), such as 10 {next(iter(units))}")
        if semantics.amount(node.text, units, any_case=shape.any_case) is None:
            hint = did_you_mean(parts[1], units) or f"known units: {', '.join(list(units)[:12])}"
            return self._wrong(node, shape, context, what, hint)
        if not context.document.reading.first and not any(c.isspace() for c in node.text.strip()):
            return self._wrong(node, shape, context, what, f"there is a space between the number and the unit: {node.text[: -len(parts[1])]} {parts[1]}")
        if shape.number == "integer" and not isinstance(parts[0], int):
            return self._wrong(node, shape, context, what, "its number is a whole one")
        return Literal(node.text, node.mark)

    def _bytes(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        try:
            base64.b64decode("".join(node.text.split()), validate=True)
        except (binascii.Error, ValueError):
            return self._wrong(node, shape, context, what)
        return Literal(node.text, node.mark)

    def _nil(self, node: Node, shape: DataShape, context: Context, what: str) -> Expr:
        fine = is_null(node) and (context.document.reading.first or node.text == "null")
        return Literal(None, node.mark) if fine else self._wrong(node, shape, context, what, "null, in small letters and without quotes")

    def _ruled(self, expr: Expr, schema: Schema, shape: DataShape | None, node: Node, context: Context, what: str) -> Expr:
        """``expr`` with its rules checked, now or when its value is known."""
        rules = (*(shape.rules if shape is not None else ()), *schema.rules)
        if not rules:
            return expr
        value = fold(expr)
        for rule in rules:
            given = [self.anything(g, context) for g in rule.given]
            known = [fold(g) for g in given]
            if value is None:
                continue
            if value is MISSING or any(k is MISSING for k in known):
                detail = {"base": shape.base if shape is not None else "", "units": dict(shape.units or {}) if shape is not None else {}, "what": what,
                          "words": rule.words}  # fmt: skip
                expr = Call("tosca_rule", (expr, Literal(rule.tree), Literal(detail), *given), node.mark)
                continue
            fault = self.broken(rule, value, shape, known)
            if fault:
                context.document.reading.error("S233", f"{what} {fault}", node.mark, f"the rule is at {rule.mark}" if rule.mark.file else "")
        return expr

    @staticmethod
    def broken(rule: Rule, value: Any, shape: DataShape | None, given: list[Any]) -> str:
        """What is wrong with a value by a rule; empty where it holds."""
        try:
            terms = semantics.Terms(value, given, shape.base if shape is not None else "", shape.units if shape is not None else None)
            return "" if terms.of(rule.tree) else f"must {rule.words}"
        except (ValueError, TypeError) as error:
            return f"cannot be checked: {error}"
