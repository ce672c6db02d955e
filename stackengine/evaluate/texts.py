"""CloudFormation's parameters: every value is a text or a list of texts, and a refusal is said in AWS's words."""

from __future__ import annotations

import re
from typing import Any

from stackengine.evaluate.functions.text import to_text
from stackengine.model.template import Constraint, Parameter

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z")


def is_number(text: Any) -> bool:
    """Whether a text is a number."""
    return isinstance(text, str) and _NUMBER.match(text.strip()) is not None


def texts(raw: Any, parameter: Parameter) -> Any:
    """``raw`` as text, or as a list of texts; ValueError for what is neither.

    A text that AllowedValues has in another spelling (``yes`` for a YAML boolean) becomes what that one means.
    """
    if parameter.type == "list":
        items = raw if isinstance(raw, list) else [part.strip() for part in to_text(raw).split(",")] if raw not in ("", None) else []
        if any(isinstance(i, (dict, list)) for i in items):
            raise ValueError("a list of texts, separated by commas")
        return [_known(to_text(i), parameter) for i in items]
    if isinstance(raw, list) and not any(isinstance(i, (dict, list)) for i in raw):
        return ",".join(map(to_text, raw))
    return _known(to_text(raw), parameter)


def _known(text: str, parameter: Parameter) -> str:
    for constraint in parameter.constraints:
        if constraint.kind == "allowed_texts" and all(text != meant for meant, _ in constraint.value):
            return next((meant for meant, written in constraint.value if written == text), text)
    return text


def refusal(parameter: Parameter, constraint: Constraint, value: Any) -> str:
    """What AWS says of a value that breaks a constraint."""
    name, rule = parameter.name, constraint.value
    if constraint.description:
        return f"Parameter '{name}' failed to satisfy constraint: {constraint.description}"
    match constraint.kind:
        case "numeric":
            return f"Parameter '{name}' must be a number."
        case "allowed_texts":
            return f"Parameter '{name}' must be one of AllowedValues"
        case "pattern":
            return f"Parameter '{name}' must match pattern {rule}"
        case "length":
            low, high = rule.get("min"), rule.get("max")
            short = low is not None and len(value) < low
            return f"Parameter '{name}' must contain at {f'least {low}' if short else f'most {high}'} characters"
        case _:
            low, high = rule.get("min"), rule.get("max")
            small = low is not None and any(is_number(v) and float(v) < low for v in (value if isinstance(value, list) else [value]))
            return f"Parameter '{name}' must be a number not {f'less than {low}' if small else f'greater than {high}'}"
