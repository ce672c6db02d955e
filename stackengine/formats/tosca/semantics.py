"""What TOSCA's functions and rules mean, on plain values: TOSCA 2.0 section 10.2; 1.x constraint clauses are read as the same rules.

A rule is a tree of lists: ``["value", *path]``, ``["literal", value]``, ``["given", index]`` (an argument that is worked out elsewhere),
``["call", name, *rules]``. Scalars with units stay text; ``units`` says what their units are worth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from stackengine.model import patterns

Units = Mapping[str, float]

_BINARY = {"": 1, "k": 10**3, "Ki": 2**10, "M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30, "T": 10**12, "Ti": 2**40}
SIZE: Units = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30, "TB": 10**12, "TiB": 2**40}
TIME: Units = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
FREQUENCY: Units = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9}
BITRATE: Units = {f"{p}{u}": w * f for p, w in _BINARY.items() for u, f in (("bps", 1), ("Bps", 8))} | {"Kbps": 10**3, "KBps": 8000}
COMMON: Units = {**TIME, **FREQUENCY, **SIZE, **BITRATE}
"""What units are taken to mean where no type says it."""

_SCALAR = re.compile(r"\s*([-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?))\s*(\S+)\s*\Z")
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+)(?:\.([A-Za-z0-9_]+)(?:-(\d+))?)?)?\Z")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([Tt]|\s+)\d\d:\d\d:\d\d(\.\d+)?\s*([Zz]|[-+]\d\d?(:?\d\d)?)?\Z|\d{4}-\d\d-\d\d\Z")

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)\Z")

_SHORT_ZONE = re.compile(r"(?<=:\d\d)((?:\.\d+)?[-+])(\d)(?=:|\Z)")
"""A zone of one digit, which YAML's timestamps may have."""


@lru_cache(maxsize=1024)
def scalar_parts(text: str) -> tuple[float | int, str] | None:
    """(number, unit) of a scalar's text."""
    match = _SCALAR.match(text)
    if match is None:
        return None
    number = match[1]
    return (int(number, 0) if re.match(r"[-+]?(0[xo]|\d+\Z)", number) and not re.match(r"[-+]?0\d", number) else float(number)), match[2]


def amount(value: Any, units: Units, *, any_case: bool = False) -> float | int | None:
    """A scalar in its base unit; None where it is none."""
    parts = scalar_parts(value) if isinstance(value, str) else None
    if parts is None:
        return None
    worth = units.get(parts[1])
    if worth is None and any_case:
        worth = next((w for u, w in units.items() if u.lower() == parts[1].lower()), None)
    return None if worth is None else parts[0] * worth


def version_key(value: Any) -> tuple[Any, ...] | None:
    """What versions are compared by; None where it is none (TOSCA 2.0, 9.1.2.3). A version with a qualifier is older than one without."""
    match = _VERSION.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    major, minor, fix, qualifier, build = match.groups()
    return (int(major), int(minor), int(fix or 0), qualifier is None, qualifier or "", int(build or 0))


def is_rfc_3339(text: str) -> bool:
    """Whether a timestamp is written as TOSCA 2.0 has it (9.1.2.1)."""
    return _RFC_3339.match(text) is not None


def instant(value: Any) -> datetime | None:
    """The universal instant of a timestamp; None where it is none (RFC 3339)."""
    if not isinstance(value, str) or not _TIMESTAMP.match(value):
        return None
    try:
        found = datetime.fromisoformat(_SHORT_ZONE.sub(r"\g<1>0\2", re.sub(r"\s+(?=[-+Zz])", "", value)))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def comparable(value: Any, base: str, units: Units | None) -> Any:
    """What a value is compared by."""
    if base == "version":
        return version_key(value if isinstance(value, str) else str(value)) or value
    if base == "timestamp":
        return instant(value) or value
    if isinstance(value, str) and (units is not None or base in ("", "scalar")):
        found = amount(value, units or COMMON, any_case=units is None or units in (SIZE, TIME, FREQUENCY, BITRATE))
        return value if found is None else found
    return value


class Terms:
    """Evaluates rules about one value."""

    def __init__(self, value: Any, given: Sequence[Any] = (), base: str = "", units: Units | None = None) -> None:
        self._value, self._given, self._base, self._units = value, given, base, units

    def of(self, rule: Sequence[Any]) -> Any:
        """The value of a rule; ValueError where a function refuses its arguments."""
        match rule[0]:
            case "value":
                return reach(self._value, rule[1:])
            case "literal":
                return rule[1]
            case "given":
                return self._given[rule[1]]
            case "list":
                return [self.of(r) for r in rule[1:]]
            case _:
                return call(rule[1], [self.of(r) for r in rule[2:]], self._base, self._units)


def reach(value: Any, path: Sequence[Any]) -> Any:
    """Follow keys and indexes; None where there is nothing."""
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, (int, str)) and str(key).isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def call(name: str, args: Sequence[Any], base: str = "", units: Units | None = None) -> Any:
    """The result of a function on plain values; ValueError says what does not fit."""
    function, least, most = FUNCTIONS[name]
    if len(args) < least or (most is not None and len(args) > most):
        raise ValueError(f"${name} takes {arity(least, most)}, not {len(args)}")
    if name in _ORDERED or name in ("equal", "valid_values", "in_range"):
        args = [_compared(a, base, units) for a in args]
    if name in _ARITHMETIC:
        return _scaled(name, function, args, units)
    return function(*args)


def arity(least: int, most: int | None) -> str:
    """How many arguments, in words."""
    if most is None:
        return f"{least} or more arguments"
    return f"{least} argument{'s' if least != 1 else ''}" if least == most else f"{least} to {most} arguments"


def _compared(arg: Any, base: str, units: Units | None) -> Any:
    return [comparable(a, base, units) for a in arg] if isinstance(arg, list) else comparable(arg, base, units)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _order(name: str, test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(one: Any, other: Any) -> bool:
        fine = (_is_number(one) and _is_number(other)) or (type(one) is type(other) and not isinstance(one, (bool, dict, list, type(None))))
        if not fine:
            raise ValueError(f"${name} cannot compare {one!r} with {other!r}")
        return test(one, other)

    return ordered


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _in_range(value: Any, bounds: Any) -> bool:
    low, high = _pair(bounds)
    if isinstance(value, list):
        return all(v == "UNBOUNDED" or _in_range(v, bounds) for v in value)
    above = low == "UNBOUNDED" or _FUNCTION["greater_or_equal"](value, low)
    return bool(above and (high == "UNBOUNDED" or _FUNCTION["less_or_equal"](value, high)))


def _pair(bounds: Any) -> tuple[Any, Any]:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise ValueError("a range is a list of two bounds")
    return bounds[0], bounds[1]


def _matches(value: Any, pattern: Any) -> bool:
    try:
        return patterns.found(str(pattern), str(value), "search") is not None
    except patterns.TooSlowError:
        raise
    except ValueError as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _values(holder: Any) -> list[Any]:
    if not isinstance(holder, (list, dict)):
        raise ValueError(f"{holder!r} is neither a list nor a map")
    return list(holder.values()) if isinstance(holder, dict) else holder


def _keys(holder: Any) -> list[Any]:
    if not isinstance(holder, dict):
        raise ValueError(f"{holder!r} is not a map")
    return list(holder)


def _same_kind(one: Any, other: Any) -> None:
    if type(one) is not type(other) or not isinstance(one, (str, list)):
        raise ValueError("both must be text, or both lists")


def _has_prefix(one: Any, other: Any) -> bool:
    _same_kind(one, other)
    return bool(one[: len(other)] == other)


def _has_suffix(one: Any, other: Any) -> bool:
    _same_kind(one, other)
    return not other or bool(one[-len(other) :] == other)


def _contains(one: Any, other: Any) -> bool:
    _same_kind(one, other)
    if isinstance(one, str):
        return other in one
    return any(one[i : i + len(other)] == other for i in range(len(one) - len(other) + 1))


def _length(value: Any) -> int:
    if not isinstance(value, (str, list, dict)):
        raise ValueError(f"{value!r} has no length")
    return len(value)


def _concat(*parts: Any) -> Any:
    if all(isinstance(p, list) for p in parts):
        return [i for p in parts for i in p]
    if any(isinstance(p, (list, dict)) for p in parts):
        raise ValueError("$concat takes texts, or lists")
    return "".join(_text(p) for p in parts)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _join(parts: Any, delimiter: Any = "") -> str:
    if not isinstance(parts, list):
        raise ValueError("$join takes a list of texts")
    return str(delimiter).join(_text(p) for p in parts)


def _token(value: Any, separators: Any, index: Any) -> str:
    parts = re.split("[" + re.escape(str(separators)) + "]", _text(value)) if separators else [_text(value)]
    if not isinstance(index, int) or not 0 <= index < len(parts):
        raise ValueError(f"there is no part {index} in {len(parts)}")
    return parts[index]


def _distinct(entries: list[Any]) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        if not any(_equal(entry, f) for f in found):
            found.append(entry)
    return found


def _union(*lists: Any) -> list[Any]:
    return _distinct([i for part in lists for i in _values(part)])


def _intersection(*lists: Any) -> list[Any]:
    return _distinct([i for i in _values(lists[0]) if all(any(_equal(i, o) for o in part) for part in lists[1:])])


def _quotient(one: Any, other: Any) -> float:
    if not other:
        raise ValueError("nothing can be divided by zero")
    return float(one / other)


def _remainder(one: Any, other: Any) -> Any:
    if not other:
        raise ValueError("nothing can be divided by zero")
    return math.fmod(one, other) if isinstance(one, float) or isinstance(other, float) else one - other * int(one / other)


def _round(value: Any) -> int:
    """Half goes down (TOSCA 2.0, 10.2.5.6)."""
    down: int = math.floor(0.5 - value)
    return -down


def _scaled(name: str, function: Callable[..., Any], args: Sequence[Any], units: Units | None) -> Any:
    """Arithmetic; scalars are worked out in their base unit and written with the first one's."""
    unit = ""
    numbers = []
    for arg in args:
        parts = scalar_parts(arg) if isinstance(arg, str) else None
        if parts is not None:
            worth = (units or COMMON).get(parts[1])
            if worth is None:
                raise ValueError(f"{arg!r} has an unknown unit")
            unit = unit or parts[1]
            numbers.append(parts[0] * worth)
        elif _is_number(arg):
            numbers.append(arg)
        else:
            raise ValueError(f"${name} takes numbers, not {arg!r}")
    result = function(*numbers)
    if not unit:
        return result
    shown = result / (units or COMMON)[unit]
    return f"{int(shown) if shown == int(shown) else shown} {unit}"


_FUNCTION: dict[str, Callable[..., Any]] = {
    "greater_than": _order("greater_than", lambda a, b: bool(a > b)),
    "greater_or_equal": _order("greater_or_equal", lambda a, b: bool(a >= b)),
    "less_than": _order("less_than", lambda a, b: bool(a < b)),
    "less_or_equal": _order("less_or_equal", lambda a, b: bool(a <= b)),
}
_ORDERED = frozenset(_FUNCTION)
_ARITHMETIC = frozenset(("sum", "difference", "product", "quotient", "remainder"))

FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int | None]] = {
    **{n: (f, 2, 2) for n, f in _FUNCTION.items()},
    "equal": (_equal, 2, 2),
    "valid_values": (lambda v, known: any(_equal(v, k) for k in _values(known)), 2, 2),
    "in_range": (_in_range, 2, 2),
    "matches": (_matches, 2, 2),
    "and": (lambda *a: all(_truth(x) for x in a), 2, None),
    "or": (lambda *a: any(_truth(x) for x in a), 2, None),
    "not": (lambda a: not _truth(a), 1, 1),
    "xor": (lambda a, b: _truth(a) != _truth(b), 2, 2),
    "has_prefix": (_has_prefix, 2, 2),
    "has_suffix": (_has_suffix, 2, 2),
    "contains": (_contains, 2, 2),
    "has_entry": (lambda h, v: any(_equal(v, k) for k in _values(h)), 2, 2),
    "has_key": (lambda h, v: v in _keys(h), 2, 2),
    "has_all_entries": (lambda h, w: all(any(_equal(v, k) for k in _values(h)) for v in _values(w)), 2, 2),
    "has_all_keys": (lambda h, w: all(v in _keys(h) for v in _values(w)), 2, 2),
    "has_any_entry": (lambda h, w: any(any(_equal(v, k) for k in _values(h)) for v in _values(w)), 2, 2),
    "has_any_key": (lambda h, w: any(v in _keys(h) for v in _values(w)), 2, 2),
    "length": (_length, 1, 1),
    "concat": (_concat, 1, None),
    "join": (_join, 1, 2),
    "token": (_token, 3, 3),
    "union": (_union, 1, None),
    "intersection": (_intersection, 1, None),
    "sum": (lambda *a: sum(a), 1, None),
    "difference": (lambda a, b: a - b, 2, 2),
    "product": (lambda *a: math.prod(a), 1, None),
    "quotient": (_quotient, 2, 2),
    "remainder": (_remainder, 2, 2),
    "round": (_round, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
}
"""By name: the function, and how many arguments it takes at least and at most."""

BOOLEAN = frozenset((*_FUNCTION, "equal", "valid_values", "in_range", "matches", "and", "or", "not", "xor", "has_prefix", "has_suffix", "contains",
                     "has_entry", "has_key", "has_all_entries", "has_all_keys", "has_any_entry", "has_any_key"))  # fmt: skip
RESULTS = {**dict.fromkeys(BOOLEAN, "boolean"), "length": "integer", "join": "string", "token": "string", "union": "list", "intersection": "list",
           "round": "integer", "floor": "integer", "ceil": "integer"}  # fmt: skip
"""The base type of a function's result, where the name alone says it."""

_DISTRIBUTIONS = {"alma": "almalinux", "almalinux": "almalinux", "centos": "centos-stream", "centos stream": "centos-stream", "rocky linux": "rocky"}
_NEWEST = {"debian": "12", "ubuntu": "24.04", "almalinux": "9", "rocky": "9", "centos-stream": "9", "fedora": "43", "cirros": "0.6.2"}


def image_name(distribution: Any, version: Any = None) -> str:
    """The catalogue's name of an image for an operating system; Debian 12 where nothing is said."""
    if distribution is None:
        return "debian-12"
    name = str(distribution).strip().lower()
    name = _DISTRIBUTIONS.get(name, name)
    said = str(version) if version is not None else _NEWEST.get(name, "")
    if name not in ("ubuntu", "cirros"):
        said = said.split(".")[0]
    if name == "ubuntu" and re.fullmatch(r"\d+\.\d", said):
        said += "0" if said.endswith(".1") else ""
    return f"{name}-{said}" if said else name
