"""Parameters: given values become typed values, every constraint is checked, all faults in one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stackengine.evaluate import heat_parameters as heat
from stackengine.evaluate.evaluator import to_expr
from stackengine.evaluate.finite import from_json, number
from stackengine.evaluate.texts import is_number, refusal, texts
from stackengine.model import patterns
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Call
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Constraint, Parameter
from stackengine.model.values import FAULTY, Sensitive, Unknown, Value, has_sensitive, has_unknown, reveal


def accepted(parameter: Parameter, raw: Value, mark: Mark, diagnostics: Diagnostics) -> Value:
    """``raw`` as the parameter's type, its constraints checked as far as it is known; FAULTY where it does not fit, which is reported at ``mark``."""
    if isinstance(raw, Sensitive):
        value = accepted(replace(parameter, sensitive=True), raw.value, mark, diagnostics)
        return value if isinstance(value, Sensitive) else Sensitive(value)
    if has_unknown(raw):
        return _later(parameter, raw)
    if parameter.type == "string" and has_sensitive(raw):
        return Sensitive(heat.convert(reveal(raw), "string") if parameter.rules == "heat" else convert(reveal(raw), "string"))
    if raw is None and parameter.nullable:
        return None
    try:
        value = _converted(raw, parameter)
    except ValueError as error:
        diagnostics.error("P103", f"parameter {parameter.name}: {'the value does not fit its type' if parameter.sensitive else error}", mark)
        return FAULTY
    if has_sensitive(value):
        return value
    for constraint in parameter.constraints:
        try:
            fault = heat.violation(constraint, value, parameter.type) if parameter.rules == "heat" else violation(constraint, value)
        except (TypeError, ValueError, AttributeError) as error:
            diagnostics.error("P105", f"parameter {parameter.name}: this constraint cannot be checked: {error}", constraint.mark)
            continue
        if fault:
            shown = "the value" if parameter.sensitive else json.dumps(value)
            where = constraint.mark if mark == parameter.mark and constraint.mark != NOWHERE else mark
            summary = refusal(parameter, constraint, value) if parameter.declared else f"parameter {parameter.name}: {shown} {fault}"
            diagnostics.error("P104", summary, where, f"{shown} {fault}" if parameter.declared else constraint.description)
    return value


def _converted(raw: Any, parameter: Parameter) -> Any:
    if parameter.declared:
        return texts(raw, parameter)
    return heat.convert(raw, parameter.type) if parameter.rules == "heat" else convert(raw, parameter.type)


def _later(parameter: Parameter, raw: Value) -> Value:
    """A value that is known only after apply, as the parameter's type will want it."""
    if parameter.type == "string" and isinstance(raw, (dict, list)):
        return Unknown(Call("to_json", (to_expr(raw),)))
    if parameter.type == "list" and isinstance(raw, Unknown):
        return Unknown(Call("as_list", (raw.expr,), raw.expr.mark))
    return raw


def convert(raw: Any, kind: str) -> Any:
    """``raw`` (text from a command line, or JSON) as a parameter type; ValueError says what does not fit."""
    return _CONVERT[kind](raw)


def _string(raw: Any) -> str:
    if isinstance(raw, (dict, list)):
        return json.dumps(raw)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return "" if raw is None else str(raw)


def _number(raw: Any) -> int | float:
    if isinstance(raw, bool):
        raise ValueError(f"{raw!r} is not a number")
    return number(raw)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).lower()
    if text in ("t", "true", "on", "y", "yes", "1"):
        return True
    if text in ("f", "false", "off", "n", "no", "0"):
        return False
    raise ValueError(f"{raw!r} is not a boolean")


def _list(raw: Any) -> list[Any]:
    if isinstance(raw, list):
        return raw
    if isinstance(raw, str):
        if raw.lstrip().startswith("["):
            return list(from_json(raw))
        return [part.strip() for part in raw.split(",")] if raw else []
    raise ValueError(f"{raw!r} is not a list")


def _json(raw: Any) -> Any:
    value = from_json(raw) if isinstance(raw, str) and raw else raw
    if value in ("", None):
        return {}
    if not isinstance(value, (dict, list)):
        raise ValueError(f"{raw!r} is neither a map nor a list")
    return value


_CONVERT: dict[str, Callable[[Any], Any]] = {"string": _string, "number": _number, "boolean": _boolean, "list": _list, "json": _json}


def violation(constraint: Constraint, value: Any) -> str:
    """What is wrong with ``value``, or the empty string."""
    rule = constraint.value
    match constraint.kind:
        case "numeric":
            return "" if all(is_number(v) for v in (value if isinstance(value, list) else [value])) else "is not a number"
        case "allowed_texts":
            known = [text for text, _ in rule]
            values = value if isinstance(value, list) and ",".join(value) not in known else [",".join(value) if isinstance(value, list) else value]
            return "" if all(v in known for v in values) else f"is not one of {', '.join(known)}"
        case "range" if isinstance(value, (str, list)):
            faults = (violation(constraint, float(v)) for v in (value if isinstance(value, list) else [value]) if is_number(v))
            return next((f for f in faults if f), "")
        case "pattern" if isinstance(value, list):
            return next((f for v in value if (f := violation(constraint, v))), "")
        case "allowed_values":
            parts = value if isinstance(value, list) else [value]
            if any(p not in rule and str(p) not in [str(r) for r in rule] for p in parts):
                return f"is not one of {', '.join(map(str, rule))}"
        case "range" | "length":
            size = len(value) if constraint.kind == "length" else value
            low, high = rule.get("min"), rule.get("max")
            if (low is not None and size < low) or (high is not None and size > high):
                what = "length" if constraint.kind == "length" else "value"
                return f"has a {what} outside {'' if low is None else low}..{'' if high is None else high}"
        case "pattern":
            if patterns.found(str(rule), str(value), "fullmatch") is None:
                return f"does not match {rule}"
        case "modulo":
            if (value - rule.get("offset", 0)) % rule.get("step", 1):
                return f"is not {rule.get('offset', 0)} modulo {rule.get('step', 1)}"
        case "check":
            return str(rule(value))
    return ""
