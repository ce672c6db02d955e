"""Sections, parameters, resources, outputs: whole templates in every version, right and wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.formats.hot.versions import RELEASES, VERSIONS
from stackengine.model.diagnostics import Diagnostics

CASES = yaml.safe_load((Path(__file__).parent / "templates.yaml").read_text("utf-8"))
TYPES = registry.load(entry_points=False)


def codes(text: str) -> list[str]:
    """Codes of the errors in a template's own language."""
    diagnostics = Diagnostics()
    loaded = formats.load(text, "t.yaml", formats.NoReader(), diagnostics, lenient=True)
    native = Diagnostics()
    if loaded is not None:
        explore(loaded, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=native)
    return sorted({d.code for d in (*diagnostics.errors, *(d for d in native.errors if d.code == "R105"))})


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"].replace(" ", "-"))
def test_template(case: dict[str, Any], record_property: Any) -> None:
    versions = [v for v in VERSIONS if str(case.get("from", "")) <= v < str(case.get("before", "9"))]
    for version in versions:
        assert codes(f"heat_template_version: {version}\n{case['text']}\n") == sorted(case.get("wrong", [])), version
    record_property("cases", len(versions))


@pytest.mark.parametrize("name", [*VERSIONS, *RELEASES])
def test_every_version_has_its_names(name: str) -> None:
    assert codes(f"heat_template_version: {name}\noutputs: {{a: {{value: 1}}}}\n") == []
    assert codes(f"heat_template_version: '{name}'\noutputs: {{a: {{value: 1}}}}\n") == []


@pytest.mark.parametrize("name", ["2013-05-24", "stein", "latest", "2018", "[2013-05-23]", ""])
def test_there_is_no_other_version(name: str) -> None:
    assert codes(f"heat_template_version: {name}\noutputs: {{a: {{value: 1}}}}\n") == ["H101"]
