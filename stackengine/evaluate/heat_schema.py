"""Properties as Heat's own schemas have them: every type that Heat knows, whether or not it is supported here (heat, engine/properties.py).

The facts stand in ``known_types/heat.json``, one line a type. A property: ``t`` type (s, i, n, b, l, m, a), ``r`` required, ``d`` has a default,
``c`` converts text to a list, ``h`` hidden or deprecated, ``z`` never implemented, ``q`` keys of a map, ``e`` items of a list; constraints ``v`` allowed
values, ``g`` range, ``n`` length, ``p`` pattern, ``k`` custom, ``o`` modulo. A type: ``p`` properties, ``a`` attributes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from stackengine.evaluate import heat_parameters as heat
from stackengine.evaluate.finite import number
from stackengine.evaluate.marks import key_mark_of, property_marks
from stackengine.formats.hot.versions import SINCE as FUNCTIONS
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark
from stackengine.model.template import Constraint, Resource
from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown, Value

_KINDS = {"s": "text", "i": "a whole number", "n": "a number", "b": "true or false", "l": "a list", "m": "a map"}
_HINTS = {"l": "begin each item with '- '", "m": "write it as 'key: value' lines", "b": "true or false, without quotes", "i": "a number without a unit"}
_VALUE_TYPES = {"string": "s", "number": "n", "boolean": "b", "comma_delimited_list": "l", "json": "m"}
_NOTHING: Mapping[str, Any] = {"s": "", "i": 0, "n": 0, "b": False, "l": [], "m": {}}
_PARAMETER_TYPES = {"s": "string", "i": "number", "n": "number", "b": "boolean", "l": "list", "m": "json", "a": "json"}


class HeatCheck:
    """Checks the properties of one resource; what is wrong is reported and left out of what comes back."""

    beside: ClassVar[tuple[str, ...]] = ("depends_on", "metadata", "deletion_policy", "update_policy", "condition", "external_id", "type")
    """Keys of a resource that are written among its properties by mistake; a type may have properties of these names, too."""

    def __init__(self, path: str, resource: Resource, also: Collection[str], diagnostics: Diagnostics) -> None:
        self._path, self._resource, self._also, self._diagnostics = path, resource, also, diagnostics
        self._marks = property_marks(resource.properties)
        self.faulty = False

    # a deprecated name or a property of our own may stand for what Heat requires

    def properties(self, values: Mapping[str, Value], schema: Mapping[str, Any]) -> dict[str, Value]:
        """The properties, converted as Heat converts them."""
        return self._map(values, schema, "")

    def _map(self, values: Mapping[str, Value], schema: Mapping[str, Any], prefix: str) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, value in values.items():
            where = f"{prefix}.{name}" if prefix else str(name)
            part = schema.get(name)
            if part is None and not prefix and name in self._also:
                found[name] = value
            elif part is None:
                known = [*schema, *(() if prefix else self._also)]
                beside = f"'{name}' belongs beside properties, not inside" if name in self.beside else ""
                self._fault("V101", f"{self._resource.type} has no property {where}", self._key(where), beside or did_you_mean(str(name), known))
            elif value is not OMIT:
                made = self._value(value, part, where) if value is not None else self._null(part, where)
                if made is not OMIT:
                    found[name] = made
        if self._resource.external_id is None and not any(n not in schema or schema[n].get("h") for n in values):
            for name in (n for n, s in schema.items() if s.get("r") and values.get(n, OMIT) is OMIT):
                where = f"{prefix}.{name}" if prefix else name
                self._fault("V102", f"{self._path}: property {where} is required", self._mark(prefix), f"it is {_KINDS.get(schema[name]['t'], 'any value')}")
        return found

    def _null(self, schema: Mapping[str, Any], where: str) -> Value:
        """What a null gives: the default or, without one, the empty value of the kind, which the constraints are asked about (Property.get_value).

        None stands for a default, and for an empty value of what need not be said: Heat's own resources take that as not said.
        """
        if schema.get("d"):
            return None
        made = self._value(_NOTHING.get(schema["t"]), schema, where)
        return made if made is OMIT or schema.get("r") or schema["t"] == "b" else None

    def _value(self, value: Value, schema: Mapping[str, Any], where: str) -> Value:
        """The value as its kind, or OMIT where it is faulty."""
        if isinstance(value, (Unknown, SecretRef)):
            return value
        if isinstance(value, Sensitive):
            made = self._value(value.value, schema, where)
            return made if made is OMIT else Sensitive(made)
        try:
            made = self.convert(value, schema)
        except (ValueError, TypeError, OverflowError):
            listed = isinstance(value, list) and len(value) == 1 and schema["t"] != "m"
            hint = misspelt(value) or ("leave out the list around it" if listed else _HINTS.get(schema["t"], ""))
            text = f"{self._path}.{where}: {_short(value)} has the wrong type: it must be {_KINDS[schema['t']]}"
            self._fault("V103", text, self._mark(where), hint)
            return OMIT
        if isinstance(made, dict) and "q" in schema:
            made = self._map(made, schema["q"], where)
        elif isinstance(made, list) and "e" in schema:
            items = [self._value(v, schema["e"], f"{where}.{n}") if v is not None else self._null(schema["e"], f"{where}.{n}") for n, v in enumerate(made)]
            made = [i for i in items if i is not OMIT]
        return made if self._fits(made, schema, where) else OMIT

    def convert(self, value: Any, schema: Mapping[str, Any]) -> Any:
        """``value`` as its kind; raises where it cannot be one."""
        return _converted(value, schema)

    def _fits(self, value: Value, schema: Mapping[str, Any], where: str) -> bool:
        if _hides_something(value):
            return True
        for constraint in _constraints(schema):
            if constraint.kind == "custom" and not isinstance(value, str):
                continue
            fault = heat.violation(constraint, value, _PARAMETER_TYPES[schema["t"]])
            if fault:
                near = did_you_mean(str(value), map(str, constraint.value)) if constraint.kind == "allowed_values" else ""
                self._fault("V103", f"{self._path}.{where}: {_short(value)} {fault}", self._mark(where), near)
                return False
        return True

    def _fault(self, code: str, summary: str, mark: Mark, hint: str = "") -> None:
        self.faulty = True
        self._diagnostics.error(code, summary, mark, hint)

    def _mark(self, where: str) -> Mark:
        while where:
            if where in self._marks:
                return self._marks[where]
            where = where.rpartition(".")[0]
        return self._resource.mark

    def _key(self, where: str) -> Mark:
        return key_mark_of(where, self._resource.properties, None, self._mark(where))


def misspelt(value: Any) -> str:
    """A hint where a map looks like a call of a function whose name has a typing error; empty for anything else."""
    return did_you_mean(str(next(iter(value))), FUNCTIONS) if isinstance(value, dict) and len(value) == 1 else ""


def typed_value(schema: Mapping[str, Any], kind: Value) -> Mapping[str, Any]:
    """The schema of OS::Heat::Value for the ``type`` that it says: its value is converted and checked by it."""
    made = _VALUE_TYPES.get(kind) if isinstance(kind, str) else None
    return schema if made is None else {**schema, "value": {**schema["value"], "t": made, "c": made in ("l", "m")}}


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    """``value`` as the kind of a property; raises where Heat refuses it."""
    match schema["t"]:
        case "s":
            if isinstance(value, str):
                return value
            if isinstance(value, (bool, int)):
                return str(value)
            raise ValueError(value)
        case "i":
            if isinstance(value, (dict, list)):
                raise TypeError(value)
            return int(value)
        case "n":
            return number(value)
        case "b":
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            raise ValueError(value)
        case "l":
            if schema.get("c") and isinstance(value, str):
                return value.split(",") if value else []
            if not isinstance(value, list):
                raise TypeError(value)
        case "m":
            if not isinstance(value, dict) and not (schema.get("c") and isinstance(value, (str, list))):
                raise TypeError(value)
    return value


def _constraints(schema: Mapping[str, Any]) -> list[Constraint]:
    found = []
    if "v" in schema:
        found.append(Constraint("allowed_values", schema["v"]))
    for key, kind in (("g", "range"), ("n", "length")):
        if key in schema:
            found.append(Constraint(kind, {"min": schema[key][0], "max": schema[key][1]}))
    if "p" in schema:
        found.append(Constraint("pattern", schema["p"]))
    if "o" in schema:
        found.append(Constraint("modulo", {"step": schema["o"][0], "offset": schema["o"][1]}))
    if "k" in schema:
        found.append(Constraint("custom", schema["k"]))
    return found


def _hides_something(value: Value) -> bool:
    """Whether a constraint cannot be applied: something in it is not known, or a secret."""
    if isinstance(value, dict):
        return any(_hides_something(v) for v in value.values())
    if isinstance(value, list):
        return any(_hides_something(v) for v in value)
    return isinstance(value, (Unknown, SecretRef, Sensitive))


def _short(value: Any) -> str:
    text = re.sub(r"Unknown\(([^()]*)\)", r"\1", repr(value))  # what is known later is told by where it comes from
    return text if len(text) <= 60 else text[:57] + "…"
