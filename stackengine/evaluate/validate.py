"""Properties against a type's schema: defaults filled in, every fault at its place, unknown values accepted anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from stackengine.evaluate.fits import fits
from stackengine.model.desired import DesiredResource
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark
from stackengine.model.values import SecretRef, Sensitive, Unknown, Value, has_sensitive, has_unknown, reveal
from stackengine.registry import ResourceTypeInfo


def with_defaults(value: Value, schema: dict[str, Any]) -> Value:
    """``value`` with the schema's defaults, nested ones too."""
    if isinstance(value, dict) and "properties" in schema:
        filled = {k: with_defaults(v, schema["properties"].get(k, {})) for k, v in value.items()}
        for name, part in schema["properties"].items():
            if name not in filled and "default" in part:
                filled[name] = part["default"]
        return filled
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [with_defaults(v, schema["items"]) for v in value]
    return value


KeyMark = Callable[[str], Mark]
"""Property (dotted path) -> the mark of its key."""


class Validator:
    """Validates properties; equal properties of one type are looked at once."""

    def __init__(self) -> None:
        self._fine: set[tuple[str, str]] = set()
        self._validators: dict[str, Any] = {}

    def check(self, resource: DesiredResource, info: ResourceTypeInfo, diagnostics: Diagnostics, keys: KeyMark, names: Callable[[str], str]) -> None:
        """Report every fault of ``resource.properties``; ``keys`` says where the key of a property stands, ``names`` how the template writes it."""
        secret = has_sensitive(resource.properties)
        plain = reveal(resource.properties) if secret else resource.properties
        if fits(plain, _validity(info)):
            return
        key = (info.name, json.dumps(plain, sort_keys=True, default=_opaque))
        if key in self._fine:
            return
        before = len(diagnostics.items)
        if info.name not in self._validators:
            self._validators[info.name] = _validator(info)
        for error in self._validators[info.name].iter_errors(plain):
            _report(error, resource, info, diagnostics, secret, keys, names)
        if len(diagnostics.items) == before:
            self._fine.add(key)


def _opaque(value: Any) -> str:
    return "?" if isinstance(value, (Unknown, SecretRef, Sensitive)) else repr(value)


def _validity(info: ResourceTypeInfo) -> dict[str, Any]:
    """What of a type's schema says what its properties may be."""
    kept = ("properties", "required", "additionalProperties", "oneOf", "anyOf", "allOf", "$defs")
    return {"type": "object", **{k: info.schema[k] for k in kept if k in info.schema}}


def _validator(info: ResourceTypeInfo) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_validity(info))


@lru_cache(maxsize=256)
def _words(validator: str) -> str:
    return {"type": "has the wrong type", "enum": "is not allowed", "pattern": "does not have the right form"}.get(validator, "is not valid")


def _report(error: Any, resource: DesiredResource, info: ResourceTypeInfo, diagnostics: Diagnostics, secret: bool, keys: KeyMark,
            names: Callable[[str], str]) -> None:  # fmt: skip
    if isinstance(error.instance, (Unknown, SecretRef)) or (error.validator in ("anyOf", "oneOf", "not", "enum", "const") and has_unknown(error.instance)):
        return
    path = ".".join(str(p) for p in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in error.instance:
            if name not in known:
                where = f"{path}.{name}" if path else name
                summary = f"{resource.foreign_type or info.name} has no property {names(where)}"
                diagnostics.error("V101", summary, keys(where), did_you_mean(name, known))
        return
    if error.validator == "required" and resource.external_id is not None:  # an object that is there already has what it needs
        return
    if error.validator == "required":
        missing = [n for n in error.validator_value if n not in error.instance]
        for name in missing[:1] if len(missing) == 1 else missing:
            where = f"{path}.{name}" if path else name
            summary = f"{resource.path}: property {names(where)} is required"
            if not any(d.summary == summary for d in diagnostics.items):
                diagnostics.error("V102", summary, resource.mark_of(path))
        return
    shown = "the value" if secret else _short(error.instance)
    hint = ""
    if error.validator == "enum":
        hint = did_you_mean(str(error.instance), map(str, error.validator_value)) or f"one of {', '.join(map(str, error.validator_value))}"
    elif error.validator == "type":
        wanted = error.validator_value
        hint = f"it must be {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    elif not secret:
        hint = error.message
    diagnostics.error("V103", f"{resource.path}.{names(path)}: {shown} {_words(error.validator)}", resource.mark_of(path), hint)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
