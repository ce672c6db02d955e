"""CloudFormation parameters: types, defaults, constraints."""

from __future__ import annotations

import re
from typing import Any

from stackengine.formats.build import as_map, check_keys, text_of
from stackengine.formats.cfn.patterns import translated
from stackengine.formats.cfn.scalars import as_text, scalar
from stackengine.formats.tree import Node
from stackengine.model import patterns
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Literal
from stackengine.model.template import Constraint, Parameter

KEYS = ("Type", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho", "Description",
        "ConstraintDescription")  # fmt: skip
_AWS = ("AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::SecurityGroup::GroupName",
        "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id", "AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id")  # fmt: skip
_SINGLE = ("String", *_AWS, "AWS::EC2::KeyPair::KeyName")
_LISTS = ("CommaDelimitedList", "List<String>", *(f"List<{t}>" for t in (*_AWS, "AWS::EC2::KeyPair::KeyName")))
TYPES = ("String", "Number", "List<Number>", "CommaDelimitedList", *_SINGLE[1:], *_LISTS[1:], "AWS::SSM::Parameter::Name",
         *(f"AWS::SSM::Parameter::Value<{t}>" for t in (*_SINGLE, *_LISTS)))  # fmt: skip
"""Every parameter type of the User Guide (parameters section, supplied types)."""


def parameter(key: Node, node: Node, diagnostics: Diagnostics) -> Parameter:
    """One parameter; what is wrong with it is reported and left out."""
    body = as_map(node, f"parameter {key.text}", "C130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark)
    check_keys(body, KEYS, f"parameter {key.text}", "C131", diagnostics)
    type_node = body.get("Type")
    kind = re.sub(r"\s+", "", text_of(type_node))
    if type_node is None:
        summary = f"Template format error: Every Parameters object must contain a Type member. [/Parameters/{key.text}]"
        diagnostics.error("C132", summary, key.mark, "String, Number, CommaDelimitedList, List<Number>, …")
    elif kind not in TYPES:
        hint = did_you_mean(kind, TYPES) or "String, Number, CommaDelimitedList, List<Number>, …"
        diagnostics.error("C132", f"Template format error: Unrecognized parameter type: {kind}", type_node.mark, hint)
        kind = "String"
    default = body.get("Default")
    if default is not None and (default.kind != "scalar" or default.tag):
        diagnostics.error(
            "C133",
            f"Template format error: Every Default member must be a string. [/Parameters/{key.text}]",
            default.mark,
            "items of a list are separated by commas",
        )
        default = None
    hidden = body.get("NoEcho")
    if hidden is not None and (hidden.kind != "scalar" or str(scalar(hidden)).lower() not in ("true", "false")):
        diagnostics.error("C134", f"parameter {key.text}: NoEcho is true or false", hidden.mark)
    return Parameter(
        key.text, "list" if kind == "CommaDelimitedList" or kind.startswith("List<") else "string",
        Literal(as_text(default), default.mark) if default is not None else None, text_of(body.get("Description")),
        sensitive=_true(body.get("NoEcho")), constraints=_constraints(key.text, kind, body, diagnostics), mark=key.mark, declared=kind or "String",
    )  # fmt: skip


def _true(node: Node | None) -> bool:
    return node is not None and node.kind == "scalar" and str(scalar(node)).lower() == "true"


def _constraints(name: str, kind: str, body: Node, diagnostics: Diagnostics) -> tuple[Constraint, ...]:
    said = text_of(body.get("ConstraintDescription"))
    found = [Constraint("numeric", True, said, body.mark)] if kind in ("Number", "List<Number>") else []
    allowed = body.get("AllowedValues")
    if allowed is not None:
        if allowed.kind != "list" or any(i.kind != "scalar" or i.tag for i in allowed.items):
            diagnostics.error("C134", f"parameter {name}: AllowedValues is a list of values", allowed.mark)
        else:
            found.append(Constraint("allowed_texts", [[as_text(i), i.text] for i in allowed.items], said, allowed.mark))
    pattern = body.get("AllowedPattern")
    if pattern is not None:
        if pattern.kind != "scalar" or pattern.tag:
            diagnostics.error("C134", f"parameter {name}: AllowedPattern is a regular expression", pattern.mark)
        else:
            _pattern(name, pattern, said, found, diagnostics)
    for low, high, rule in (("MinLength", "MaxLength", "length"), ("MinValue", "MaxValue", "range")):
        bounds = [(n, _number(name, k, n, rule, diagnostics)) for k in (low, high) if (n := body.get(k)) is not None]
        least, most = (_number(name, k, n, rule, None) if (n := body.get(k)) is not None else None for k in (low, high))
        if least is not None and most is not None and least > most:
            diagnostics.error("C134", f"parameter {name}: {low} is greater than {high}", bounds[0][0].mark)
        elif bounds and any(v is not None for _, v in bounds):
            found.append(Constraint(rule, {"min": least, "max": most}, said, bounds[0][0].mark))
    return tuple(found)


def _pattern(name: str, pattern: Node, said: str, found: list[Constraint], diagnostics: Diagnostics) -> None:
    try:
        expression = translated(pattern.text)
        patterns.compiled(expression)
    except (ValueError, RecursionError) as error:
        diagnostics.error("C135", f"parameter {name}: AllowedPattern is no regular expression: {error}", pattern.mark)
    else:
        found.append(Constraint("pattern", expression, said, pattern.mark))


def _number(name: str, key: str, node: Node, rule: str, diagnostics: Diagnostics | None) -> float | int | None:
    found: Any = scalar(node) if node.kind == "scalar" else None
    try:
        return int(found) if rule == "length" else float(found) if not isinstance(found, int) else found
    except (TypeError, ValueError):
        if diagnostics is not None:
            diagnostics.error("C134", f"parameter {name}: {key} is a number", node.mark)
        return None
