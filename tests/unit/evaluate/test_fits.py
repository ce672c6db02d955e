"""The quick look agrees with jsonschema: what it calls valid is valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stackengine import registry
from stackengine.evaluate.fits import fits
from stackengine.evaluate.validate import _validity
from stackengine.model.expr import Ref
from stackengine.model.values import Unknown

TYPES = registry.load(entry_points=False)
NUMBERS = st.integers(-3, 70000) | st.floats(-2, 5, allow_nan=False)
LEAVES: Any = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "10.0.0.0/24", "nat", "tiny", "x y"])


def values(schema: dict[str, Any], depth: int = 0) -> Any:
    """Values that are near what a schema wants."""
    if depth > 3:
        return LEAVES
    near = [LEAVES]
    if schema.get("properties"):
        near.append(st.fixed_dictionaries({}, optional={n: values(s, depth + 1) for n, s in [*schema["properties"].items(), ("odd", {})]}))
    if isinstance(schema.get("items"), dict):
        near.append(st.lists(values(schema["items"], depth + 1), max_size=2))
    if "enum" in schema:
        near.append(st.sampled_from(schema["enum"]))
    return st.one_of(*near[1:], *([LEAVES] if depth or len(near) == 1 else []))


@pytest.mark.parametrize("name", sorted(TYPES.types))
def test_what_fits_is_valid(name: str) -> None:
    schema = _validity(TYPES.types[name])
    validator = Draft202012Validator(schema)

    @given(values(schema))
    @settings(max_examples=25, deadline=None)
    def agree(value: Any) -> None:
        if fits(value, schema):
            assert validator.is_valid(value)

    agree()


@pytest.mark.parametrize(
    ("value", "schema", "wanted"),
    [
        (1, {"type": "integer"}, True), (True, {"type": "integer"}, False), (1.0, {"type": ["number", "null"]}, True), (None, {"type": "null"}, True),
        ({"a": 1}, {"properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}, True), ({}, {"required": ["a"]}, False),
        ({"b": 1}, {"properties": {}, "additionalProperties": False}, False), ({"b": 1}, {"additionalProperties": {"minimum": 2}}, False),
        (["x"], {"items": {"pattern": "^x$"}}, True), (["y"], {"items": {"pattern": "^x$"}}, False), ("", {"minLength": 1}, False), (5, {"maximum": 4}, False),
        (0, {"exclusiveMinimum": 0}, False), ("a", {"enum": ["a"]}, True), (True, {"enum": [1]}, False), (1, {"oneOf": [{"type": "integer"}]}, False),
        (Unknown(Ref("a")), {"type": "integer", "minimum": 3}, True), ({"a": Unknown(Ref("a"))}, {"properties": {"a": {"enum": ["x"]}}}, True),
    ],
)  # fmt: skip
def test_it_is_never_sure_without_reason(value: Any, schema: dict[str, Any], wanted: bool) -> None:
    assert fits(value, schema) is wanted
