"""What the three writers share: neutral functions under one name each, and places that cannot be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.template import Parameter, ParameterType, Policies
from stackengine.model.values import OMIT, Sensitive

LEFT_OUT = object()
"""What cannot be said, and is reported."""
ONE_NAME = {
    "list_join": "join", "str_split": "split", "same": "equals", "same_text": "equals", "select_item": "select", "str_replace_vstrict": "str_replace_strict",
    "str_replace_text": "str_replace", "list_join_text": "join",
    "heat_contains": "contains",
}  # fmt: skip
"""Functions that differ only in what they make of odd arguments, which a converted template does not have."""
PSEUDO = {"OS::stack_name": "AWS::StackName", "OS::stack_id": "AWS::StackId", "OS::project_id": "AWS::AccountId"}
"""HOT's pseudo parameters and CloudFormation's."""
Said = Callable[[Expr], Any]


def plain_parameter(parameter: Parameter, diagnostics: Diagnostics) -> Parameter:
    """``parameter`` with the constraints that all languages have; a rule that only its own language knows is left out, and told (T202)."""
    kept = []
    for constraint in parameter.constraints:
        if constraint.kind == "numeric":
            kind: ParameterType = "number" if parameter.type == "string" else parameter.type
            parameter = replace(parameter, type=kind)
        elif constraint.kind == "allowed_texts":
            kept.append(replace(constraint, kind="allowed_values", value=[written for _, written in constraint.value]))
        elif constraint.kind in ("allowed_values", "range", "length", "pattern", "modulo", "custom"):
            kept.append(constraint)
        else:
            diagnostics.warning("T202", f"parameter {parameter.name}: a rule for its values has no words in other languages", constraint.mark)
    default = parameter.default
    if parameter.type == "number" and isinstance(default, Literal) and isinstance(default.value, str):
        default = Literal(value(Node("scalar", default.mark, text=default.value), "core"), default.mark)
    return replace(parameter, constraints=tuple(kept), default=default)


def plain_call(expr: Call) -> Call:
    """``expr`` under the one name of its function; wrappers that only say what happens to nothing, or what a value must be, are taken off."""
    name = ONE_NAME.get(expr.fn, expr.fn)
    if name == "tosca_rule" or (name in ("or_empty", "as_list", "heat_condition", "heat_base64") and len(expr.args) == 1):
        inner = expr.args[0]
        return plain_call(inner) if isinstance(inner, Call) else Call("itself", (inner,), expr.mark)
    return Call(name, expr.args, expr.mark)


def param_path(call: Call) -> tuple[str, tuple[Expr, ...]] | None:
    """(parameter, keys) of a path into a parameter."""
    if call.fn == "dig" and isinstance(call.args[0], Param) and isinstance(call.args[1], (List, Literal)):
        keys = call.args[1]
        return call.args[0].name, keys.items if isinstance(keys, List) else tuple(Literal(v) for v in keys.value)
    return None


def pieces(call: Call) -> list[Expr] | None:
    """Text with names replaced as the pieces that it is joined of, where template and names are known; None where not."""
    template, params = call.args[0], call.args[1]
    if not isinstance(template, Literal) or not isinstance(template.value, str) or not isinstance(params, Map):
        return None
    found: list[tuple[bool, Expr]] = [(False, template)]
    for entry in sorted(params.entries, key=lambda e: (-len(e.key), e.key)):
        parts: list[tuple[bool, Expr]] = []
        for brought, piece in found:
            if brought or not entry.key or not isinstance(piece, Literal):
                parts.append((brought, piece))
                continue
            for number, text in enumerate(str(piece.value).split(entry.key)):
                parts += [(True, entry.value)] if number else []
                parts += [(False, Literal(text, template.mark))] if text else []
        found = parts
    return [piece for _, piece in found]


class Words:
    """Says expressions in one language; a subclass has its functions."""

    language = ""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics

    def __call__(self, expr: Expr) -> Any:
        """Plain data that says ``expr``; LEFT_OUT where there are no words (reported)."""
        match expr:
            case Literal(value=known):
                return self.literal(known, expr)
            case Map(entries=entries):
                found = {e.key: self(e.value) for e in entries}
                return {k: v for k, v in found.items() if v is not LEFT_OUT}
            case List(items=items):
                return [v for v in map(self, items) if v is not LEFT_OUT]
            case Param(name=name):
                return self.param(name, expr)
            case Ref(target=target):
                return self.reference(target)
            case Attr():
                return self.attribute(expr)
            case If():
                return self.choice(expr)
            case Call():
                call = plain_call(expr)
                return self(call.args[0]) if call.fn == "itself" else self.call(call)

    def literal(self, value: Any, expr: Expr) -> Any:
        """A known value."""
        if isinstance(value, Sensitive):
            return self.missing("a secret in the clear", expr)
        return LEFT_OUT if value is OMIT else value

    def missing(self, what: str, expr: Expr) -> Any:
        """Report that there are no words."""
        self.diagnostics.error("T201", f"{self.language} has no words for {what}", expr.mark)
        return LEFT_OUT

    def param(self, name: str, expr: Expr) -> Any:
        """A parameter."""
        raise NotImplementedError

    def reference(self, target: str) -> Any:
        """A resource."""
        raise NotImplementedError

    def attribute(self, expr: Attr) -> Any:
        """An attribute."""
        raise NotImplementedError

    def choice(self, expr: If) -> Any:
        """One of two."""
        raise NotImplementedError

    def call(self, call: Call) -> Any:
        """A function."""
        raise NotImplementedError


def without(data: dict[str, Any]) -> dict[str, Any]:
    """``data`` without what is empty or left out."""
    return {k: v for k, v in data.items() if v is not None and v is not LEFT_OUT and v not in ("", {}, [])}


def with_value(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """``data`` without what is empty, and with ``value``, however empty that is."""
    return {**without(data), **({} if value is LEFT_OUT else {key: value})}


def deletion(policies: Policies) -> str | None:
    """The deletion policy where it is not the default."""
    return policies.deletion if policies.deletion != "Delete" else None
