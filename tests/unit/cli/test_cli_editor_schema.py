"""The JSON Schemas for editors take every template of the gallery, and say no to a misspelt key."""

from __future__ import annotations

import contextlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stackengine.cli.main import main
from stackengine.formats.build import plain
from stackengine.formats.tree import compose
from stackengine.model.diagnostics import Diagnostics

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]


@cache
def schema(language: str) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["types", "--editor-schema", language]) == 0
    found: dict[str, Any] = json.loads(out.getvalue())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("language", ["hot", "cfn", "tosca"])
def test_the_gallery_is_valid(language: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(language))
    for file in sorted((ROOT / "templates").glob(f"*/{language}/stack.yaml")):
        root = compose(file.read_text(), file.name, Diagnostics())
        assert root is not None
        assert [e.message for e in validator.iter_errors(plain(root, "core"))] == []


@pytest.mark.parametrize(
    ("language", "template"),
    [
        ("hot", {"heat_template_version": "2018-08-31", "resource": {}}),
        ("hot", {"heat_template_version": "2018-08-31", "resources": {"a": {"type": "SE::Volume", "properties": {"size": "big"}}}}),
        ("hot", {"heat_template_version": "2018-08-31", "resources": {"a": {"type": "SE::Volume", "property": {}}}}),
        ("cfn", {"Resources": {"a": {"Typ": "x"}}}),
        ("tosca", {"tosca_definitions_version": "2.0"}),
    ],
)
def test_faults_are_seen(language: str, template: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schema(language)).is_valid(template)


def test_functions_may_stand_everywhere() -> None:
    template = {"heat_template_version": "2018-08-31", "resources": {"a": {"type": "SE::Volume", "properties": {"size": {"get_param": "x"}}}}}
    assert jsonschema.Draft202012Validator(schema("hot")).is_valid(template)
