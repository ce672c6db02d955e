"""TOSCA inputs: types, defaults, constraint clauses."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Literal
from stackengine.model.template import Constraint, Parameter

KEYS = ("type", "description", "default", "required", "constraints", "validation", "value", "status", "entry_schema", "key_schema", "metadata", "mapping")
TYPES: dict[str, Any] = {
    "string": "string", "integer": "number", "float": "number", "boolean": "boolean", "list": "list", "map": "json", "timestamp": "string",
    "version": "string", "range": "list", "scalar-unit.size": "string", "scalar-unit.time": "string", "scalar-unit.frequency": "string",
    "scalar-unit.bitrate": "string", "bytes": "string",
}  # fmt: skip


def parameter(key: Node, node: Node, diagnostics: Diagnostics) -> Parameter:
    """One input; what is wrong with it is reported and left out."""
    body = as_map(node, f"input {key.text}", "S130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark)
    check_keys(body, KEYS, f"input {key.text}", "S131", diagnostics)
    type_node = body.get("type")
    name = text_of(type_node) or "string"
    kind = TYPES.get(name)
    if kind is None:
        diagnostics.error("S132", f"input {key.text}: the type {name} is not known", (type_node or key).mark, did_you_mean(name, TYPES))
    default = body.get("default") or body.get("value")
    required = body.get("required")
    optional = required is not None and value(required, "core") is False
    given = Literal(plain(default, "core"), default.mark) if default is not None else Literal(None, key.mark) if optional else None
    metadata = body.get("metadata")
    secret = metadata is not None and metadata.kind == "map" and text_of(metadata.get("sensitive")) == "true"
    return Parameter(
        key.text, kind or "string", given, text_of(body.get("description")), sensitive=secret,
        constraints=_constraints(key.text, body.get("constraints"), diagnostics), mark=key.mark,
    )  # fmt: skip


def _constraints(name: str, node: Node | None, diagnostics: Diagnostics) -> tuple[Constraint, ...]:
    if node is None:
        return ()
    items = node.items if node.kind == "list" else (node,)
    return tuple(c for item in items for c in _clause(name, item, diagnostics))


def _clause(name: str, node: Node, diagnostics: Diagnostics) -> list[Constraint]:
    found = []
    for key, rule in node.entries:
        said = plain(rule, "core")
        clause = {
            "equal": ("allowed_values", [said]), "valid_values": ("allowed_values", said), "pattern": ("pattern", said),
            "greater_or_equal": ("range", {"min": said}), "less_or_equal": ("range", {"max": said}),
            "greater_than": ("range", {"min": _next(said, 1)}), "less_than": ("range", {"max": _next(said, -1)}),
            "min_length": ("length", {"min": said}), "max_length": ("length", {"max": said}), "length": ("length", {"min": said, "max": said}),
            "in_range": ("range", dict(zip(("min", "max"), said, strict=False)) if isinstance(said, list) else {}),
        }.get(key.text)  # fmt: skip
        if clause is None:
            diagnostics.error("S133", f"input {name}: the constraint {key.text} is not known", key.mark)
        else:
            found.append(Constraint(clause[0], clause[1], "", rule.mark))
    return found


def _next(number: Any, step: int) -> Any:
    """The bound of an exclusive integer clause."""
    return number + step if isinstance(number, int) else number
