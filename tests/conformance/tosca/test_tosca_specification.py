"""The specification's own examples, written anew (specification.yaml): each is made what it says there, or refused with the right code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.tosca.tosca_cases import read
from stackengine import registry
from stackengine.evaluate import evaluate
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics

CASES, TWO = (yaml.safe_load((Path(__file__).parent / f"{n}.yaml").read_text("utf-8")) for n in ("specification", "specification_2_0"))
TYPES = registry.load(entry_points=False)
SECTIONS = {"inputs": "inputs", "nodes": "node_templates", "relationships": "relationship_templates", "outputs": "outputs", "groups": "groups", "policies": "policies",
            "workflows": "workflows"}  # fmt: skip
FILES = {
    "run/a.sh": "#!/bin/sh\n", "c.txt": "c\n",
    "database.yaml": """tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  my.Database:
    derived_from: tosca.nodes.Root
    properties: {user: {type: string}}
    attributes: {address: {type: string}}
topology_template:
  inputs: {user: {type: string}}
  node_templates:
    server: {type: tosca.nodes.Compute}
    dbms: {type: tosca.nodes.DBMS, requirements: [{host: server}]}
  outputs: {address: {value: {get_attribute: [server, private_address]}}}
  substitution_mappings: {node_type: my.Database, properties: {user: [user]}, attributes: {address: [address]}}
""",
}  # fmt: skip


def found(case: dict[str, Any]) -> tuple[Desired | None, Diagnostics, Any]:
    topology = {SECTIONS[k]: v for k, v in case.items() if k in SECTIONS}
    text = json.dumps({"tosca_definitions_version": "tosca_simple_yaml_1_3", **case.get("more", {}), "topology_template": topology})
    template, diagnostics = read(text, FILES)
    if template is None:
        return None, diagnostics, None
    evaluated = evaluate(template, case.get("given", {}), TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    return evaluated.desired if evaluated is not None else None, diagnostics, template


def said(value: Any) -> Any:
    return [said(v) for v in value] if isinstance(value, list) else {k: said(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_example(case: dict[str, Any]) -> None:
    desired, diagnostics, template = found(case)
    assert [d.code for d in diagnostics.errors] == case.get("refused", []), [f"{d.code} {d.summary}" for d in diagnostics.errors]
    for code in case.get("told", []):
        assert code in [d.code for d in diagnostics]
    if "makes" not in case:
        return
    assert desired is not None
    resources = desired.resources
    made = {p: r.type for p, r in resources.items() if ":" not in p and r.type != "SE::None"}
    assert made == case["makes"]
    for where, value in case.get("values", {}).items():
        path, _, name = where.partition(".")
        assert said(resources[path].properties[name]) == value
    for path, targets in case.get("edges", {}).items():
        assert {d.path for d in resources[path].depends if ":" not in d.path} == set(targets)
    for path, ports in case.get("ports", {}).items():
        assert [n["port"].expr.target for n in resources[path].properties["networks"]] == ports  # each is a reference
    for name, steps in case.get("procedures", {}).items():
        assert list(template.procedures[name].resources) == steps


@pytest.mark.parametrize("case", TWO, ids=[c["name"] for c in TWO])
def test_example_of_2_0(case: dict[str, Any]) -> None:
    text = json.dumps({"tosca_definitions_version": "tosca_2_0", **case["document"]})
    template, diagnostics = read(text, case.get("files", {}))
    assert [d.code for d in diagnostics.errors] == case.get("refused", []), [f"{d.code} {d.summary}" for d in diagnostics.errors]
    if template is None:
        return
    evaluated = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert evaluated is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    assert {n: o.value for n, o in evaluated.desired.outputs.items()} == case.get("outputs", {})
    assert "makes" not in case or list(evaluated.desired.resources) == case["makes"]
