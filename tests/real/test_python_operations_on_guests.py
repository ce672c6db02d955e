"""Operations in Python and Ansible in a Debian guest, with inputs and outputs; where the guest has no Ansible that is said. Takes minutes."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
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
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks: [{name: say it, copy: {content: "played {{ word }}", dest: /srv/played}}]
"""
CONFIGURE = "            configure: {implementation: play.yaml, inputs: {word: well}}\n"
ANSIBLE = ("ansible-core>=2.16,<2.17", "jinja2", "markupsafe", "packaging", "resolvelib<1.1")
"""What ansible-playbook needs besides Python 3.11 and its PyYAML, which the guest has."""
INSTALL = """\
mkdir /root/wheels && cd /root/wheels && python3 -m tarfile -e ../wheels.tar &&
for wheel in *.whl; do python3 -m zipfile -e $wheel /usr/local/lib/python3.11/dist-packages; done &&
printf '#!/bin/sh\\nexec python3 -m ansible playbook "$@"\\n' > /usr/local/bin/ansible-playbook && chmod 755 /usr/local/bin/ansible-playbook
"""


def test_python_and_then_ansible_run_in_the_guest(state: Path, tmp_path: Path) -> None:
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

    wheels = tmp_path / "wheels"
    subprocess.run([sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--only-binary", ":all:", "-d", str(wheels), *ANSIBLE], check=True)
    with tarfile.open(tmp_path / "wheels.tar", "w") as archive:
        for wheel in wheels.iterdir():
            archive.add(wheel, wheel.name)
    run(state, "cp", "sums", str(tmp_path / "wheels.tar"), "server:/root/wheels.tar", seconds=600)
    run(state, "ssh", "sums", "server", "--", INSTALL, seconds=300)
    run(state, "up", str(template), "--host", "private://python", "--yes", seconds=900)
    assert run(state, "ssh", "sums", "server", "--", "cat /srv/played").strip() == "played well"
    run(state, "down", "sums", "--yes")
