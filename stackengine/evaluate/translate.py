"""Foreign types become native ones by the tables of ``dialects.yaml``: names, conversions, attributes."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stackengine.evaluate.marks import written_as
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Call, Literal
from stackengine.model.mark import Mark
from stackengine.model.template import Policies, Resource
from stackengine.model.values import FAULTY, Unknown, Value, has_unknown, waits_for_resources
from stackengine.registry import Conversion, Dialect, ResourceTypeInfo

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 1 << 10, "m": 1000**2, "mb": 1000**2, "mib": 1 << 20, "g": 1000**3, "gb": 1000**3, "gib": 1 << 30,
          "t": 1000**4, "tb": 1000**4, "tib": 1 << 40}  # fmt: skip


def size_in(value: Any, unit: int) -> Any:
    """A number (already in ``unit``) or text such as ``512 MB``; decimal and binary units count alike, rounded up to whole ``unit``."""
    if isinstance(value, (int, float)):
        return value
    match = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", str(value))
    if not match or match.group(2).lower() not in _UNITS:
        raise ValueError(f"{value!r} is not a size")
    if not match.group(2):
        return int(float(match.group(1)))
    binary = {1000: 1 << 10, 1000**2: 1 << 20, 1000**3: 1 << 30, 1000**4: 1 << 40}
    factor = _UNITS[match.group(2).lower()]
    return max(1, -(-int(float(match.group(1)) * binary.get(factor, factor)) // unit))


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _as_bool(value: Any) -> Any:
    return value.lower() in ("true", "yes", "1", "on") if isinstance(value, str) else value


def _as_number(value: Any) -> Any:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
    return value


def _roomy(mib: Any) -> Any:
    """TOSCA asks for at least so much memory: where that is less than a guest can have, it gets the least (32 MiB)."""
    return max(mib, 32) if isinstance(mib, (int, float)) and not isinstance(mib, bool) and mib >= 0 else mib


def _decode(value: Any) -> Any:
    """Base64 as AWS wants it; text that is none is taken as it is, as Heat does (its Fn::Base64 leaves text alone)."""
    try:
        return base64.b64decode("".join(str(value).split()), validate=True).decode()
    except ValueError:
        return value


def _canonical(value: Any) -> Any:
    """A range with its host bits taken off, as AWS does (VPC User Guide: 100.68.0.18/18 becomes 100.68.0.0/18); text that is none stays as it is."""
    try:
        return str(ipaddress.ip_network(value, strict=False)) if isinstance(value, str) and "/" in value else value
    except ValueError:
        return value


DECODERS: dict[str, Callable[[Any], Any]] = {
    "base64": _decode,
    "mib": lambda v: size_in(v, 1 << 20),
    "guest_mib": lambda v: _roomy(size_in(v, 1 << 20)),
    "gib": lambda v: size_in(v, 1 << 30),
    "bool": _as_bool,
    "int": _as_number,
    "list": _as_list,
    "network": _canonical,
    "undotted": lambda v: v.removesuffix(".") if isinstance(v, str) else v,
}


class Translator:
    """Translates properties."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._told: set[tuple[str, str]] = set()
        self._seen: set[str] = set()
        self._pending: list[tuple[str, str, Resource]] = []

    def properties(
        self, resource: Resource, info: ResourceTypeInfo, dialect: Dialect | None, values: dict[str, Value], marks: dict[str, Mark]
    ) -> tuple[dict[str, Value], dict[str, Mark], dict[str, str]]:
        """Native properties, their marks, and how the template writes those (dotted paths) that the type's ``translate`` made of others."""
        if dialect is None:
            return {k: v for k, v in values.items() if v is not None}, marks, {}
        native: dict[str, Value] = _copied(dialect.defaults)
        placed, words = dict(marks), dict[str, str]()
        for name, value in values.items():
            conversion = dialect.properties.get(name)
            mark = marks.get(name, resource.mark)
            if value is None:
                if conversion is not None and conversion.null:
                    self._diagnostics.notice("V106", f"{resource.type}.{name}: null has no effect: {conversion.null}", mark)
                continue
            if conversion is None and "*" in dialect.properties:
                whole = dialect.properties["*"].to
                native.setdefault(whole, {})[name] = value
                _move_marks(placed, marks, name, f"{whole}.{name}")
                continue
            if conversion is None and name in info.properties:
                conversion = Conversion(to=name)
            if resource.stands_for and conversion is not None and not conversion.decode and not _could_be(value, info.properties.get(conversion.to, {})):
                placed.pop(name, None)
                continue  # a type of the template's own has a property of this name, and means something else
            if conversion is None:
                hint = did_you_mean(name, [*dialect.properties, *info.properties])
                key = next((e.key_mark for e in resource.properties.entries if e.key == name), mark)
                self._diagnostics.error("V101", f"{resource.type} has no property {name}", key, hint)
            elif conversion.refuse:
                self._diagnostics.error("V105", f"{resource.type}.{name} is not supported: {conversion.refuse}", mark)
            elif conversion.used:
                continue
            elif conversion.ignore:
                self._diagnostics.notice("V106", f"{resource.type}.{name} has no effect: {conversion.ignore}", mark)
            else:
                _place(native, conversion.to, self._converted(value, conversion, name, mark))
                _move_marks(placed, marks, name, conversion.to)
        if info.translate is not None:
            try:
                native = info.translate(resource.stands_for or resource.type, native)
            except ValueError as error:
                if not any(has_unknown(v) and not waits_for_resources(v) for v in values.values()):  # else it is a parameter that nobody gave yet
                    self._diagnostics.error("V105", f"{resource.type}: {error}", _mark_of(_place_of(error, native), placed, resource.mark))
                native = {k: v for k, v in native.items() if not k.startswith("$")}
            self._pending += [(text, beside, resource) for text, beside in native.pop("$notices", ())]
            for made, of in native.pop("$places", {}).items():
                words[made], placed[made] = written_as(of, resource.properties, dialect), _mark_of(of, placed, resource.mark)
            for inert in native.pop("$inert", ()):
                name = written_as(inert.prop, resource.properties, dialect)
                self._diagnostics.notice("V106", f"{resource.type}.{name} has no effect: {inert.why}", _mark_of(inert.prop, placed, resource.mark))
        self._seen.add(info.name)
        self._tell()
        return native, placed, words

    def _tell(self) -> None:
        """Notices of the types themselves; one counts only beside a resource of the type that it names, and of many resources it is said once."""
        due = [n for n in self._pending if not n[1] or n[1] in self._seen]
        self._pending = [n for n in self._pending if n not in due]
        for text, _, resource in due:
            if (resource.type, text) not in self._told:
                self._told.add((resource.type, text))
                self._diagnostics.notice("V121", f"{resource.type}: {text}", resource.type_mark)

    def policies(self, policies: Policies, resource: Resource, info: ResourceTypeInfo, dialect: Dialect | None) -> Policies:
        """The policies with the properties of ``ignore_changes`` under their native names."""
        ignored = []
        for name in policies.ignore_changes:
            conversion = dialect.properties.get(name) if dialect else None
            native = conversion.to.partition(".")[0] if conversion else name
            if native.startswith("$") or native not in info.properties:
                if name not in resource.policies.ignore_changes:  # said of a group: of those members that have it
                    continue
                known = [n for n in info.properties if n not in info.read_only]
                hint = did_you_mean(name, known) or f"it has: {', '.join(known)}"
                self._diagnostics.error("V108", f"ignore_changes: {resource.type} has no property {name} that can be ignored", resource.mark, hint)
            ignored.append(native)
        return replace(policies, ignore_changes=tuple(ignored)) if ignored else policies

    def _converted(self, value: Value, conversion: Conversion, name: str, mark: Mark) -> Value:
        if not conversion.decode:
            return value
        if conversion.decode == "list":
            return _as_list(value)
        if has_unknown(value):
            return _undo_base64(value) if conversion.decode == "base64" else value
        try:
            return DECODERS[conversion.decode](value)
        except ValueError as error:
            self._diagnostics.error("V103", f"{name}: {error}", mark)
            return FAULTY


def _place_of(error: ValueError, native: Mapping[str, Value]) -> str:
    """What a type could not translate: as it says itself, or the one thing that was put aside for it."""
    aside = [k for k in native if k.startswith("$")]
    return str(getattr(error, "prop", "") or (aside[0] if len(aside) == 1 else ""))


def _mark_of(prop: str, marks: Mapping[str, Mark], otherwise: Mark) -> Mark:
    """Where a dotted path stands, or what it is part of."""
    while prop and prop not in marks:
        prop = prop.rpartition(".")[0]
    return marks.get(prop, otherwise) if prop else otherwise


def _could_be(value: Value, schema: Mapping[str, Any]) -> bool:
    """Whether a value is of the kind that a property of ours has: a list, a mapping, or neither."""
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not kinds or isinstance(value, Unknown):
        return True
    return ("array" in kinds) if isinstance(value, list) else ("object" in kinds) if isinstance(value, Mapping) else bool({*kinds} - {"array", "object"})


def _undo_base64(value: Value) -> Value:
    """``Fn::Base64`` around something unknown: what is inside it."""
    if isinstance(value, Unknown) and isinstance(value.expr, Call) and value.expr.fn == "base64":
        inner = value.expr.args[0]
        return inner.value if isinstance(inner, Literal) else Unknown(inner)
    return value


def _place(native: dict[str, Value], path: str, value: Value) -> None:
    *parents, last = path.split(".")
    for part in parents:
        native = native.setdefault(part, {})
    if isinstance(value, list) and isinstance(native.get(last), list):
        native[last] = [*native[last], *value]
    else:
        native[last] = value


def _move_marks(placed: dict[str, Mark], marks: dict[str, Mark], name: str, to: str) -> None:
    for key, mark in marks.items():
        if key == name or key.startswith(name + "."):
            placed[to + key.removeprefix(name)] = mark


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
