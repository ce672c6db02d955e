"""Imperative workflows: what can be run becomes deployments in the order of the steps; what cannot is told with the reason."""

from __future__ import annotations

import pytest

from conformance.tosca.tosca_cases import read
from stackengine.model.template import Procedure

HEAD = """tosca_definitions_version: tosca_simple_yaml_1_3
interface_types: {I: {derived_from: tosca.interfaces.Root, operations: {go: {inputs: {w: {type: string, default: x}}}, none: {}}}}
node_types: {L: {derived_from: tosca.nodes.Root, interfaces: {i: {type: I}}}, N: {derived_from: tosca.nodes.SoftwareComponent, interfaces: {i: {type: I}}}}
topology_template:
  node_templates:
    s: {type: tosca.nodes.Compute, properties: {image: tiny}}
    n: {type: N, requirements: [{host: s}], interfaces: {i: {operations: {go: a.sh}}, Standard: {operations: {stop: a.sh}}}}
    lost: {type: L, interfaces: {i: {operations: {go: a.sh}}}}
    late: {type: N, requirements: [{host: s}], interfaces: {i: {operations: {go: missing.sh}}}}
  workflows:
"""
FILES = {"a.sh": "#!/bin/sh\n"}
CALL = "{target: n, activities: [{call_operation: i.go}]"


def made(workflows: str, name: str = "w") -> Procedure:
    lines = "".join(f"    {line}\n" for line in workflows.strip("\n").split("\n"))
    template, diagnostics = read(HEAD + lines, FILES)
    assert template is not None
    assert not diagnostics.errors, [d.summary for d in diagnostics.errors]
    found = template.procedures[name]
    told = [d for d in diagnostics if d.code == "S283" and f"workflow {name} " in d.summary]
    assert bool(told) is bool(found.refusal)
    assert not any(r in template.resources for r in found.resources), "a stack is made without them"
    return found


def waits(procedure: Procedure) -> dict[str, list[str]]:
    return {n: sorted(d.target for d in r.depends_on) for n, r in procedure.resources.items()}


def test_steps_wait_for_all_that_lead_to_them() -> None:
    found = made(f"w: {{steps: {{a: {CALL}, on_success: [b, c]}}, b: {CALL}, on_success: [d]}}, c: {CALL}, on_success: [d]}}, d: {CALL}}}}}}}")
    assert waits(found) == {"w_a_0": [], "w_b_0": ["w_a_0"], "w_c_0": ["w_a_0"], "w_d_0": ["w_b_0", "w_c_0"]}


def test_activities_of_a_step_follow_each_other_and_a_step_without_any_is_a_place_to_wait_for() -> None:
    found = made(f"""w:
  steps:
    a: {{target: n, activities: [{{set_state: busy}}, {{call_operation: i.go}}, {{call_operation: Standard.stop}}, {{call_operation: i.none}}], on_success: [b]}}
    b: {{target: n, activities: [], on_success: [c]}}
    c: {CALL}}}
""")  # fmt: skip
    assert waits(found) == {"w_a_1": [], "w_a_2": ["w_a_1"], "w_b": ["w_a_2"], "w_c_0": ["w_b"]}
    assert found.resources["w_a_2"].properties.get("actions") is None, "what is called runs, whatever its name"


def test_another_workflow_stands_in_its_place() -> None:
    found = made(f"""w: {{steps: {{a: {{target: n, activities: [{{inline: v}}, {{call_operation: i.go}}]}}}}}}
v: {{steps: {{x: {CALL}, on_success: [y]}}, y: {CALL}}}}}}}
""")  # fmt: skip
    assert waits(found) == {"w_a_0_v_x_0": [], "w_a_0_v_y_0": ["w_a_0_v_x_0"], "w_a_1": ["w_a_0_v_y_0"]}


def test_what_a_failure_leads_to_stands_beside() -> None:
    found = made(f"w: {{steps: {{a: {CALL}, on_success: [b], on_failure: [m]}}, b: {CALL}}}, m: {CALL}, on_success: [l]}}, l: {CALL}}}}}}}")
    assert set(found.resources) == {"w_a_0", "w_b_0"}
    assert {k: set(v) for k, v in found.recoveries.items()} == {"w_a_0": {"w_m_0", "w_l_0"}}


def test_inputs_of_the_workflow_and_of_a_call() -> None:
    found = made(
        "w: {inputs: {v: {type: string, default: d}}, steps: {a: {target: n, activities: [{call_operation: {operation: i.go, inputs: {w: {get_input: v}}}}]}}}"
    )
    assert list(found.parameters) == ["v"]
    assert found.resources["w_a_0"].properties.get("inputs").get("w").name == "v"  # type: ignore[union-attr]  # a parameter


REFUSED = {
    "a filter": ("w: {steps: {a: {target: n, filter: [{state: [{equal: up}]}], activities: []}}}", "filter"),
    "preconditions": ("w: {preconditions: [{target: n, condition: [{state: [{equal: up}]}]}], steps: {}}", "preconditions"),
    "a declarative workflow": ("w: {steps: {a: {target: n, activities: [{delegate: undeploy}]}}}", "stack's own business"),
    "a circle": (f"w: {{steps: {{a: {CALL}, on_success: [b]}}, b: {CALL}, on_success: [a]}}}}}}", "wait for each other"),
    "a circle behind a beginning": (f"w: {{steps: {{s: {CALL}, on_success: [a]}}, a: {CALL}, on_success: [b]}}, b: {CALL}, on_success: [a]}}}}}}", "wait for each"),
    "a node without a server": ("w: {steps: {a: {target: lost, activities: [{call_operation: i.go}]}}}", "nothing here runs lost.i.go"),
    "a script that is not there": ("w: {steps: {a: {target: late, activities: [{call_operation: i.go}]}}}", "nothing here runs late.i.go"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    workflow, reason = REFUSED[case]
    found = made(workflow)
    assert reason in found.refusal
    assert not found.resources
