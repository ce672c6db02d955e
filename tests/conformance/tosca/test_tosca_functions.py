"""Every function of 2.0 and of 1.x gives what the specification says, evaluated in an output."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tosca.tosca_cases import read
from stackengine import registry
from stackengine.evaluate import evaluate
from stackengine.model.values import Unknown

TYPES = registry.load(entry_points=False)
TWO = """tosca_definitions_version: tosca_2_0
imports: [{profile: org.oasis-open.simple:2.0}]
node_types:
  N:
    properties: {name: {type: string, default: one}, list: {type: list, entry_schema: integer, default: [3, 4]}, size: {type: Size, default: 2 GB}}
    capabilities: {c: {type: C}}
    requirements: [{next: {capability: C, relationship: R, count_range: [0, 9]}}]
capability_types: {C: {properties: {port: {type: integer, default: 80}}}}
relationship_types: {R: {properties: {speed: {type: integer, default: 7}}}}
service_template:
  inputs:
    n: {type: integer, default: 5}
    m: {type: map, entry_schema: integer, default: {a: 1, b: 2}}
    words: {type: list, entry_schema: string, default: [x, y]}
  node_templates:
    a: {type: N, requirements: [{next: b}, {next: c}]}
    b: {type: N, properties: {name: two}}
    c: {type: N, properties: {name: three}, requirements: [{next: b}]}
  outputs: {o: {value: %s}}
"""
CASES: dict[str, Any] = {
    "{$get_input: n}": 5, "{$get_input: [m, b]}": 2, "{$get_property: [a, name]}": "one", "{$get_property: [a, list, 1]}": 4,
    "{$get_property: [a, CAPABILITY, c, port]}": 80, "{$get_property: [a, RELATIONSHIP, next, TARGET, name]}": "two",
    "{$get_property: [a, RELATIONSHIP, next, 1, TARGET, name]}": "three", "{$get_property: [a, RELATIONSHIP, next, ALL, TARGET, name]}": ["two", "three"],
    "{$get_property: [a, RELATIONSHIP, next, 1, TARGET, RELATIONSHIP, next, TARGET, name]}": "two", "{$get_property: [a, RELATIONSHIP, next, speed]}": 7,
    "{$get_property: [a, RELATIONSHIP, next, CAPABILITY, port]}": 80, "{$get_property: [b, CAPABILITY, c, RELATIONSHIP, SOURCE, name]}": "one",
    "{$get_attribute: [a, name]}": "one", "{$and: [true, true]}": True, "{$or: [false, true]}": True, "{$not: [true]}": False, "{$xor: [true, false]}": True,
    "{$equal: [1, 1]}": True, "{$greater_than: [2, 1]}": True, "{$greater_or_equal: [2, 2]}": True, "{$less_than: [2, 1]}": False,
    "{$less_or_equal: [1, 1]}": True, "{$valid_values: [1, [1, 2]]}": True, "{$matches: [abc, '^a.c$']}": True, "{$in_range: [3, [1, 4]]}": True,
    "{$has_prefix: [abc, ab]}": True, "{$has_suffix: [[1, 2, 3], [2, 3]]}": True, "{$contains: [abcd, bc]}": True, "{$contains: [[1, 2, 3], [2, 3]]}": True,
    "{$has_entry: [[1, 2], 2]}": True, "{$has_key: [{$get_input: m}, a]}": True, "{$has_all_entries: [[1, 2], [2, 1]]}": True,
    "{$has_all_keys: [{$get_input: m}, [a, z]]}": False, "{$has_any_entry: [[1, 2], [9, 2]]}": True, "{$has_any_key: [{$get_input: m}, [z, a]]}": True,
    "{$length: [abc]}": 3, "{$length: [{$get_input: m}]}": 2, "{$concat: [a, b, c]}": "abc", "{$concat: [[1], [2, 3]]}": [1, 2, 3],
    "{$join: [[a, b], '-']}": "a-b", "{$join: [{$get_input: words}, ',']}": "x,y", "{$join: [[a, b]]}": "ab", "{$token: ['a:b;c', ':;', 2]}": "c",
    "{$union: [[1, 2], [2, 3]]}": [1, 2, 3], "{$union: [[1, 1]]}": [1], "{$intersection: [[1, 2], [2, 3]]}": [2], "{$sum: [1, 2, 3]}": 6,
    "{$sum: [1, 0.5]}": 1.5, "{$difference: [5, 7]}": -2, "{$product: [2, 3, 4]}": 24, "{$product: [{$get_property: [a, size]}, 2]}": "4 GB",
    "{$quotient: [7, 2]}": 3.5, "{$remainder: [7, 4]}": 3, "{$round: [3.5]}": 3, "{$round: [3.53]}": 4, "{$floor: [3.9]}": 3, "{$ceil: [3.1]}": 4,
    "{$sum: [{$get_property: [a, size]}, {$get_property: [b, size]}]}": "4 GB", "$$text": "$text", "{$$key: 1}": {"$key": 1},
    "{$sum: [{$get_input: n}, {$length: [{$get_input: words}]}]}": 7,
}  # fmt: skip


@pytest.mark.parametrize("written", CASES)
def test_a_function_of_2_0(written: str) -> None:
    template, diagnostics = read(TWO % written)
    assert template is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    assert found.desired.outputs["o"].value == CASES[written]


LIFE = """tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  node_templates:
    s: {type: tosca.nodes.Compute, properties: {image: tiny}}
    db:
      type: tosca.nodes.DBMS
      requirements: [{host: s}]
      interfaces: {Standard: {operations: {create: c.sh, configure: {implementation: c.sh, outputs: {port: [SELF, port]}}, start: c.sh, stop: c.sh, delete: c.sh}}}
    app:
      type: tosca.nodes.SoftwareComponent
      requirements: [{host: s}, {dependency: {node: db, relationship: {type: tosca.relationships.DependsOn, interfaces: {Configure: {operations: {pre_configure_source: c.sh, add_target: c.sh}}}}}}]
      interfaces: {Standard: {operations: {create: {implementation: c.sh, inputs: {db: {get_attribute: [db, port]}}}, configure: p.py, start: a.yaml}}}
  outputs: {port: {value: {get_attribute: [db, port]}}, said: {value: {get_operation_output: [app, Standard, create, word]}}}
"""


def test_operations_run_in_the_order_of_the_lifecycle() -> None:
    template, diagnostics = read(LIFE, {"c.sh": "#!/bin/sh\n", "p.py": "print()\n", "a.yaml": "- hosts: all\n"})
    assert template is not None, [str(d) for d in diagnostics]
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    made = found.desired.resources
    waits = {p: {d.path for d in r.depends} for p, r in made.items()}
    assert {"db_create"} <= waits["db_configure"]
    assert {"db_configure"} <= waits["db_start"]
    assert {"db_stop", "db_delete"} <= set(made)
    assert "db_delete" in waits["db_stop"]
    assert "db_start" in waits["app_create"]
    assert "app_create" in waits["app_dependency_pre_configure_source"]
    assert "app_dependency_pre_configure_source" in waits["app_configure"]
    assert "app_start" in waits["app_dependency_add_target"]
    assert made["app_configure"].properties["interpreter"] == ["python3"]
    assert made["app_start_config"].properties["group"] == "ansible"
    assert made["db_stop"].properties["actions"] == ["DELETE"]
    port = found.desired.outputs["port"].value
    assert isinstance(port, Unknown)
    assert port.describe() == "db_configure.outputs.port"
