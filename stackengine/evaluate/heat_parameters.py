"""Values of Heat's parameters: what becomes of what is given, and what constraints say of it (heat, engine/parameters.py and engine/constraints.py)."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

from stackengine.evaluate.finite import from_json, number
from stackengine.model import patterns
from stackengine.model.template import Constraint


def convert(raw: Any, kind: str) -> Any:
    """``raw`` as a parameter type; ValueError says what does not fit."""
    return _CONVERT[kind](raw)


def _string(raw: Any) -> str:
    return "" if raw is None else str(raw)


def boolean(raw: Any) -> bool:
    """true or false, or a word for it; ValueError where it is none (oslo_utils, bool_from_string)."""
    text = str(raw).strip().lower()
    if text in ("t", "true", "on", "y", "yes", "1"):
        return True
    if text in ("f", "false", "off", "n", "no", "0"):
        return False
    raise ValueError(f"{raw!r} is not a boolean")


def _list(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [str(i) for i in raw]
    if isinstance(raw, str):
        return raw.split(",") if raw else []
    raise ValueError(f"{raw!r} is not a comma-delimited list")


def _json(raw: Any) -> Any:
    if not isinstance(raw, str) or not raw:
        return raw
    return from_json(raw)


_CONVERT: dict[str, Callable[[Any], Any]] = {"string": _string, "number": number, "boolean": boolean, "list": _list, "json": _json}


def violation(constraint: Constraint, value: Any, kind: str) -> str:
    """What is wrong with ``value``, or the empty string."""
    rule = constraint.value
    match constraint.kind:
        case "allowed_values":
            return _not_allowed(rule, value, kind)
        case "range" | "length":
            size = len(value) if constraint.kind == "length" else value
            low, high = rule.get("min"), rule.get("max")
            if (low is not None and size < low) or (high is not None and size > high):
                what = "length" if constraint.kind == "length" else "value"
                return f"has a {what} outside {'' if low is None else low}..{'' if high is None else high}"
        case "pattern":
            found = patterns.found(rule, value)
            if found is None or found.end() != len(value):
                return f"does not match {rule}"
        case "modulo":
            if value % rule["step"] != rule["offset"]:
                return f"is not a multiple of {rule['step']} with an offset of {rule['offset']}"
        case "custom":
            return next((w for v in (value if isinstance(value, list) else [value]) if (w := _custom(str(rule), v))), "")
    return ""


def _not_allowed(allowed: list[Any], value: Any, kind: str) -> str:
    if isinstance(value, list):
        wrong = next((v for v in value if v not in allowed), None)
        return f"has {wrong!r}, which is not one of {', '.join(map(str, allowed))}" if wrong is not None else ""
    try:
        fits = value in [convert(a, kind) for a in allowed]
    except ValueError as error:
        return f"cannot be compared: {error}"
    return "" if fits else f"is not one of {', '.join(map(str, allowed))}"


_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


def _address(value: Any) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def _network(value: Any) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return "/" in str(value)


def _json_text(value: Any) -> bool:
    try:
        json.loads(value)
    except (ValueError, TypeError):
        return False
    return True


def _moment(value: Any) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _zone(value: Any) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(str(value))
    except (ValueError, OSError, LookupError):
        return False
    return True


def _schedule(value: Any) -> bool:
    fields = str(value).split()
    return len(fields) in (5, 6) and all(re.fullmatch(r"[A-Za-z0-9*,/?#L-]+", f) for f in fields)


_CUSTOM: dict[str, tuple[Callable[[Any], bool], str]] = {
    "ip_addr": (_address, "an IP address"),
    "ip_or_cidr": (lambda v: _address(v) or _network(v), "an IP address or a CIDR"),
    "net_cidr": (_network, "a CIDR"),
    "mac_addr": (lambda v: bool(re.fullmatch(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", str(v))), "a MAC address"),
    "dns_name": (lambda v: len(str(v)) <= 255 and bool(_NAME.fullmatch(str(v))), "a DNS name"),
    "rel_dns_name": (lambda v: bool(_NAME.fullmatch(str(v))) and not str(v).endswith("."), "a relative DNS name"),
    "dns_domain": (lambda v: not str(v) or (bool(_NAME.fullmatch(str(v))) and str(v).endswith(".")), "a DNS domain that ends with a dot"),
    "json_string": (_json_text, "JSON"),
    "iso_8601": (_moment, "a time in ISO 8601"),
    "expiration": (_moment, "a time in ISO 8601"),
    "timezone": (_zone, "a time zone"),
    "cron_expression": (_schedule, "a cron expression"),
}
"""Heat's custom constraints that need no service; those of services are looked at where the thing is used."""


def _custom(name: str, value: Any) -> str:
    known = _CUSTOM.get(name)
    return "" if known is None or value is None or known[0](value) else f"is not {known[1]}"
