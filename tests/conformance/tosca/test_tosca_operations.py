"""What operations bring into the guest, when they run again, and what is told beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tosca.tosca_cases import read
from stackengine import registry
from stackengine.evaluate import evaluate
from stackengine.evaluate.functions import FUNCTIONS

TYPES = registry.load(entry_points=False)
HEAD = """tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  inputs: {word: {type: string, default: one}}
  node_templates:
    s: {type: tosca.nodes.Compute, properties: {image: IMAGE}}
    app:
      type: tosca.nodes.SoftwareComponent
      requirements: [{host: s}]
"""
FILES = {"run/a.sh": "#!/bin/sh\n", "run/lib/b.sh": "b\n", "c.txt": "c\n", "p.py": "print()\n"}


def made(body: str, image: str = "debian-12", files: dict[str, str] | None = None) -> tuple[dict[str, dict[str, Any]], list[str]]:
    lines = "".join(f"      {line}\n" for line in body.strip("\n").split("\n"))
    template, diagnostics = read(HEAD.replace("IMAGE", image) + lines, FILES if files is None else files)
    assert template is not None
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    return {p: {k: v for k, v in r.properties.items() if k != "server"} for p, r in found.desired.resources.items()}, [d.code for d in diagnostics if d.severity == "warning"]


def files_of(properties: dict[str, Any]) -> dict[str, str]:
    return {f["path"]: f["content"] for f in properties["files"]}


def test_dependencies_lie_where_they_are_in_the_archive_and_as_seen_from_the_script() -> None:
    found, _ = made("interfaces: {Standard: {operations: {create: {implementation: {primary: run/a.sh, dependencies: [run/lib/b.sh, c.txt]}}}}}")
    assert files_of(found["app_create"]) == {"run/lib/b.sh": "b\n", "lib/b.sh": "b\n", "c.txt": "c\n"}


def test_artifacts_come_where_they_are_deployed_or_asked_for() -> None:
    found, told = made("""
artifacts:
  deployed: {type: tosca.artifacts.File, file: c.txt, deploy_path: /etc/app/}
  asked: {type: tosca.artifacts.File, file: c.txt}
  placed: {type: tosca.artifacts.File, file: run/lib/b.sh}
  unasked: {type: tosca.artifacts.File, file: nowhere.bin}
  disk: {type: tosca.artifacts.Deployment.Image.VM.QCOW2, file: big.qcow2, deploy_path: /srv}
interfaces:
  Standard:
    operations:
      create:
        implementation: run/a.sh
        inputs:
          one: {get_artifact: [SELF, asked]}
          two: {concat: ["x", {get_artifact: [app, placed, /tmp/b]}]}
          three: {get_artifact: [SELF, deployed]}
""")  # fmt: skip
    assert files_of(found["app_create"]) == {"/etc/app/c.txt": "c\n", "c.txt": "c\n", "/tmp/b": "b\n"}
    assert found["app_create"]["inputs"] == {"one": "c.txt", "two": "x/tmp/b", "three": "/etc/app/c.txt"}
    assert "S275" not in told


LIFE = "interfaces: {Standard: {operations: {create: run/a.sh, configure: {implementation: run/a.sh, inputs: {w: {get_input: word}}}, start: run/a.sh, stop: run/a.sh}}}"


def test_what_follows_an_operation_that_runs_again_runs_again() -> None:
    before, _ = made(LIFE)
    other, _ = made(LIFE.replace("{get_input: word}", "two"))
    changed, _ = made(LIFE, files={**FILES, "run/a.sh": "#!/bin/sh\ntrue\n"})
    assert [n for n in before if before[n] != other[n]] == ["app_configure", "app_start"]
    assert before["app_start"]["triggers"] != other["app_start"]["triggers"]
    assert "triggers" not in before["app_create"]
    assert "triggers" not in before["app_stop"]
    assert {n for n in before if before[n] != changed[n]} == {"app_create", "app_configure", "app_start", "app_stop"}


@pytest.mark.parametrize(("script", "image", "told"), [("p.py", "tiny", True), ("p.py", "debian-12", False), ("run/a.sh", "tiny", False)])
def test_a_guest_that_cannot_run_it_is_told_beforehand(script: str, image: str, told: bool) -> None:
    _, codes = made(f"interfaces: {{Standard: {{operations: {{create: {script}}}}}}}", image)
    assert ("S278" in codes) is told


@pytest.mark.parametrize(("written", "base", "value"), [
    ("text\n\n", "string", "text"), ("80\n", "integer", 80), ("[1, 2]", "list", [1, 2]), ("true\n", "boolean", True), (7, "integer", 7), (None, "string", None),
    ("80\n", "", "80"),
])  # fmt: skip
def test_what_an_operation_wrote_is_read_by_the_attributes_type(written: Any, base: str, value: Any) -> None:
    assert FUNCTIONS["tosca_output"](written, base) == value


def test_what_an_operation_wrote_and_is_of_no_such_type_is_refused() -> None:
    with pytest.raises(ValueError, match="is of type integer"):
        FUNCTIONS["tosca_output"]("eighty", "integer")


def test_no_time_limit_is_none() -> None:
    found, _ = made("interfaces: {Standard: {operations: {create: {implementation: {primary: run/a.sh, timeout: 0}}, start: {implementation: {primary: run/a.sh, timeout: 9}}}}}")
    assert (found["app_create"]["timeout"], found["app_start"]["timeout"]) == (3600, 9)


def test_a_property_of_the_templates_own_that_is_called_like_ours_means_its_own() -> None:
    text = """tosca_definitions_version: tosca_simple_yaml_1_3
node_types: {VM: {derived_from: tosca.nodes.Compute, properties: {security_groups: {type: string}, networks: {type: string}, name: {type: string}}}}
topology_template: {node_templates: {vm: {type: VM, properties: {security_groups: mine, networks: inside, name: one}}}}
"""
    template, diagnostics = read(text)
    assert template is not None
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    vm = found.desired.resources["vm"].properties
    assert vm["name"] == "one"
    assert "inside" not in str(vm)
    assert "mine" not in str(vm)
