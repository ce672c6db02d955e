"""CloudFormation parameters: types, defaults, constraints."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Literal
from stackengine.model.template import Constraint, Parameter

KEYS = ("Type", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho", "Description",
        "ConstraintDescription")  # fmt: skip


def parameter(key: Node, node: Node, diagnostics: Diagnostics) -> Parameter:
    """One parameter; what is wrong with it is reported and left out."""
    body = as_map(node, f"parameter {key.text}", "C130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark)
    check_keys(body, KEYS, f"parameter {key.text}", "C131", diagnostics)
    type_node = body.get("Type")
    kind = _kind(text_of(type_node))
    if kind is None:
        what = f"there is no parameter type {text_of(type_node)}" if type_node else "a parameter needs a Type"
        diagnostics.error("C132", f"parameter {key.text}: {what}", (type_node or key).mark, "String, Number, CommaDelimitedList, List<Number>, …")
    default = body.get("Default")
    return Parameter(
        key.text, kind or "string", Literal(_default(default, kind), default.mark) if default is not None else None, text_of(body.get("Description")),
        sensitive=_true(body.get("NoEcho")), constraints=_constraints(body), mark=key.mark,
    )  # fmt: skip


def _default(node: Node, kind: str | None) -> Any:
    """A text parameter keeps the lexeme: ``Default: 0755`` is ``0755``."""
    return node.text if node.kind == "scalar" and kind == "string" else plain(node, "yaml11")


def _kind(name: str) -> Any:
    if name == "Number":
        return "number"
    if name == "CommaDelimitedList" or name.startswith(("List<", "AWS::SSM::Parameter::Value<List<")):
        return "list"
    return "string" if name == "String" or name.startswith("AWS::") else None


def _true(node: Node | None) -> bool:
    return node is not None and node.kind == "scalar" and str(value(node, "yaml11")).lower() == "true"


def _constraints(body: Node) -> tuple[Constraint, ...]:
    said = text_of(body.get("ConstraintDescription"))
    found = []
    for key, kind in (("AllowedValues", "allowed_values"), ("AllowedPattern", "pattern")):
        node = body.get(key)
        if node is not None:
            found.append(Constraint(kind, plain(node, "yaml11") if kind == "allowed_values" else node.text, said, node.mark))
    for low, high, kind in (("MinLength", "MaxLength", "length"), ("MinValue", "MaxValue", "range")):
        least, most = body.get(low), body.get(high)
        if least is not None or most is not None:
            mark = (least or most or body).mark
            found.append(Constraint(kind, {"min": _number(least), "max": _number(most)}, said, mark))
    return tuple(found)


def _number(node: Node | None) -> float | int | None:
    if node is None:
        return None
    found = value(node, "yaml11")
    return found if isinstance(found, (int, float)) else None
