"""What is known of values before they are there: what they refer to and of what type they will be."""

from __future__ import annotations

import pytest

from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)
TEXT = """heat_template_version: 2018-08-31
resources:
  net: {type: SE::Network}
  disk: {type: SE::Volume, properties: {size: 1}}
  port: {type: SE::Port, properties: {network: {get_resource: net}}}
  web: {type: SE::Server, properties: {image: tiny, networks: [{port: {get_resource: port}}]}}
  it: {}
"""


def faults(resource: str) -> list[str]:
    diagnostics = Diagnostics()
    template = formats.load(TEXT.replace("  it: {}\n", f"  it: {resource}\n"), "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    return [f"{d.code} {d.mark.line}:{d.mark.col}" for d in diagnostics if d.severity == "error"]


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        ("{type: SE::Port, properties: {network: {get_resource: disk}}}", ["V118 7:46"]),
        ("{type: SE::Subnet, properties: {network: {get_resource: web}}}", ["V118 7:48"]),
        ("{type: SE::Server, properties: {image: tiny, networks: [{port: {get_resource: net}}]}}", ["V118 7:70"]),
        ("{type: SE::Server, properties: {image: tiny, networks: {get_attr: [web, name]}}}", ["V119 7:62"]),
        ("{type: SE::Server, properties: {image: tiny, name: {get_attr: [web, addresses]}}}", ["V119 7:58"]),
        ("{type: SE::Server, properties: {image: tiny, name: {list_concat: [[{get_attr: [web, name]}]]}}}", ["V119 7:58"]),
        ("{type: SE::Server, properties: {image: tiny, name: {get_attr: [web, name]}, memory: {get_attr: [disk, capacity]}}}", []),
        ("{type: SE::Port, properties: {network: {get_resource: net}}}", []),
        ("{type: SE::None, properties: {value: {get_attr: [web, addresses]}}}", []),
    ],
)  # fmt: skip
def test_wrong_references_and_types_are_found_before_anything_runs(resource: str, wanted: list[str]) -> None:
    assert faults(resource) == wanted
