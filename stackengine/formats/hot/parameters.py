"""HOT parameters: types, defaults, constraints."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Literal
from stackengine.model.template import Constraint, Parameter

KEYS = ("type", "label", "description", "default", "hidden", "constraints", "immutable", "tags")
TYPES: dict[str, Any] = {"string": "string", "number": "number", "boolean": "boolean", "comma_delimited_list": "list", "json": "json"}
_KINDS = {"allowed_values": "allowed_values", "range": "range", "length": "length", "allowed_pattern": "pattern", "modulo": "modulo",
          "custom_constraint": "custom"}  # fmt: skip


def parameter(key: Node, node: Node, diagnostics: Diagnostics) -> Parameter:
    """One parameter; what is wrong with it is reported and left out."""
    body = as_map(node, f"parameter {key.text}", "H130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark)
    check_keys(body, KEYS, f"parameter {key.text}", "H131", diagnostics)
    type_node = body.get("type")
    kind = TYPES.get(text_of(type_node).lower())
    if kind is None:
        what = f"there is no parameter type {text_of(type_node)}" if type_node else "a parameter needs a type"
        diagnostics.error("H132", f"parameter {key.text}: {what}", (type_node or key).mark, did_you_mean(text_of(type_node), TYPES) or ", ".join(TYPES))
    default = body.get("default")
    constraints = _constraints(key.text, body.get("constraints"), diagnostics)
    return Parameter(
        key.text, kind or "string", Literal(plain(default, "yaml11"), default.mark) if default is not None else None, text_of(body.get("description")),
        text_of(body.get("label")), _flag(body.get("hidden")), _flag(body.get("immutable")), constraints, key.mark,
    )  # fmt: skip


def _flag(node: Node | None) -> bool:
    return node is not None and node.kind == "scalar" and value(node, "yaml11") in (True, "true", "True")


def _constraints(name: str, node: Node | None, diagnostics: Diagnostics) -> tuple[Constraint, ...]:
    if node is None:
        return ()
    if node.kind != "list":
        diagnostics.error("H133", f"parameter {name}: constraints is a list", node.mark)
        return ()
    return tuple(c for item in node.items if (c := _constraint(name, item, diagnostics)) is not None)


def _constraint(name: str, node: Node, diagnostics: Diagnostics) -> Constraint | None:
    kinds = [(k, v) for k, v in node.entries if k.text in _KINDS] if node.kind == "map" else []
    if len(kinds) != 1:
        diagnostics.error("H134", f"parameter {name}: a constraint needs exactly one of {', '.join(_KINDS)}", node.mark)
        return None
    check_keys(node, [*_KINDS, "description"], f"a constraint of {name}", "H135", diagnostics)
    key, rule = kinds[0]
    return Constraint(_KINDS[key.text], plain(rule, "yaml11"), text_of(node.get("description")), rule.mark)
