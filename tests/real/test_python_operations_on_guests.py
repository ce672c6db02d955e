"""Operations in Python in a Debian guest, with inputs and outputs; one for Ansible, where the guest has none, fails and says so. Takes minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """\
tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  Sums:
    derived_from: tosca.nodes.SoftwareComponent
    properties: {numbers: {type: list, entry_schema: {type: integer}}}
    attributes: {total: {type: integer}, made_by: {type: string}}
    interfaces:
      Standard:
        type: tosca.interfaces.node.lifecycle.Standard
        operations:
          create: {implementation: create.py, outputs: {total: [SELF, total], made_by: [SELF, made_by]}}
topology_template:
  node_templates:
    server:
      type: tosca.nodes.Compute
      capabilities: {host: {properties: {mem_size: 512 MB}}, os: {properties: {image: debian-12-lab}}}
    sums:
      type: Sums
      properties: {numbers: [1, 2, 39]}
      requirements: [{host: server}]
      interfaces:
        Standard:
          operations:
            create: {inputs: {numbers: {get_property: [SELF, numbers]}, word: it is}}
PLAY  outputs:
    total: {value: {get_attribute: [sums, total]}}
    made_by: {value: {get_attribute: [sums, made_by]}}
"""
CREATE = """\
import json
import os
import pathlib
import sys

def give(name, value):
    pathlib.Path(f"{os.environ['heat_outputs_path']}.{name}").write_text(f"{value}\\n")

total = sum(json.loads(os.environ["numbers"]))
pathlib.Path("/srv/total").write_text(f"{os.environ['word']} {total}")
give("total", total)
give("made_by", f"Python {sys.version_info.major}")
"""
PLAYBOOK = "- hosts: all\n  tasks: [{name: nothing, ping: {}}]\n"
CONFIGURE = "            configure: play.yaml\n"


def test_python_runs_in_the_guest_and_ansible_is_missed(state: Path, tmp_path: Path) -> None:
    run(state, "images", "build", "debian-12-lab", seconds=900)
    template = tmp_path / "sums.yaml"
    template.write_text(TEMPLATE.replace("PLAY", ""))
    (tmp_path / "create.py").write_text(CREATE)
    (tmp_path / "play.yaml").write_text(PLAYBOOK)
    run(state, "up", str(template), "--host", "private://python", "--yes", seconds=1200)
    outputs = {n: o["value"] for n, o in json.loads(run(state, "outputs", "sums", "--json"))["outputs"].items()}
    assert outputs == {"total": 42, "made_by": "Python 3"}
    assert run(state, "ssh", "sums", "server", "--", "cat /srv/total").strip() == "it is 42"

    template.write_text(TEMPLATE.replace("PLAY", CONFIGURE))
    said = run(state, "up", str(template), "--host", "private://python", "--yes", code=1, seconds=600)
    assert "this guest has no ansible-playbook" in said
    assert {n: o["value"] for n, o in json.loads(run(state, "outputs", "sums", "--json"))["outputs"].items()} == outputs
    run(state, "down", "sums", "--yes")
