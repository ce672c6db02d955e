"""Whether a rule can be asked of values of a type at all: ``{$less_than: [$value, abc]}`` cannot of an integer (TOSCA 2.0, 9.2 and 10.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackengine.formats.tosca import semantics

if TYPE_CHECKING:
    from stackengine.formats.tosca.definitions import DataShape

_ORDERED = ("greater_than", "greater_or_equal", "less_than", "less_or_equal", "in_range")
_NO_ORDER = ("boolean", "list", "map", "complex", "nil", "bytes")
_NO_LENGTH = ("integer", "float", "boolean", "timestamp", "version", "scalar", "nil")
_TEXTS = ("has_prefix", "has_suffix", "contains")
_MAPS = ("has_key", "has_all_keys", "has_any_key")
_ENTRIES = ("has_entry", "has_all_entries", "has_any_entry")
_VALUE = ["value"]


def unfit(tree: list[Any], shape: DataShape, *, literals: bool) -> str:
    """Why a rule does not go with a type; empty where it does. ``literals``: also what values are compared with must be of the type."""
    if tree[0] == "list":
        return next((f for part in tree[1:] if (f := unfit(part, shape, literals=literals))), "")
    if tree[0] != "call":
        return ""
    name, args = tree[1], tree[2:]
    if args and args[0] == _VALUE:
        fault = _function(name, shape.base)
        if not fault and literals and name in (*_ORDERED, "equal", "valid_values") and len(args) > 1:
            fault = next((f for a in _flat(args[1:]) if (f := _literal(name, a, shape))), "")
        if fault:
            return fault
    return next((f for part in args if (f := unfit(part, shape, literals=literals))), "")


def _function(name: str, base: str) -> str:
    a = f"a value of type {base}"
    if name in _ORDERED and base in _NO_ORDER:
        return f"{a} has no order, so ${name} says nothing of it"
    if name == "length" and base in _NO_LENGTH:
        return f"{a} has no length"
    if name == "matches" and base in ("integer", "float", "boolean", "list", "map", "complex", "nil"):
        return f"{a} is no text, so a pattern says nothing of it"
    if name in _TEXTS and base in ("integer", "float", "boolean", "map", "complex", "nil"):
        return f"{a} is neither a text nor a list, so ${name} says nothing of it"
    if name in _MAPS and base not in ("map", "complex", "?"):
        return f"{a} has no keys"
    if name in _ENTRIES and base not in ("list", "map", "complex", "?"):
        return f"{a} has no entries"
    return ""


def _flat(args: list[Any]) -> list[Any]:
    found = []
    for arg in args:
        if arg[0] == "list":
            found += _flat(arg[1:])
        elif arg[0] == "literal" and isinstance(arg[1], list):
            found += [["literal", v] for v in arg[1]]
        else:
            found.append(arg)
    return found


def _literal(name: str, arg: list[Any], shape: DataShape) -> str:
    if arg[0] != "literal" or (name == "in_range" and arg[1] == "UNBOUNDED"):
        return ""
    value, base = arg[1], shape.base
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fine = {
        "integer": number, "float": number, "string": isinstance(value, str), "boolean": isinstance(value, bool),
        "version": semantics.version_key(str(value)) is not None, "timestamp": semantics.instant(value) is not None,
        "scalar": number or not shape.units or semantics.amount(value, shape.units, any_case=shape.any_case) is not None,
    }.get(base, True)  # fmt: skip
    # of a scalar a number is so many of its canonical unit (9.1.2.2.2, the examples)
    return "" if fine else f"it compares a value of type {base} with {value!r}"
