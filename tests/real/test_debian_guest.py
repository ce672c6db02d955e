"""Genuine cloud-init in a Debian guest reads what we give every guest: user-data, network, keys, host name; and signals back. Takes minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """\
heat_template_version: 2018-08-31
resources:
  net: {type: OS::Neutron::Net}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}}}
  started: {type: OS::Heat::WaitConditionHandle}
  box:
    type: OS::Nova::Server
    properties:
      image: debian-12-lab
      flavor: m1.tiny
      networks: [{subnet: {get_resource: subnet}}]
      user_data:
        str_replace:
          template: |
            #cloud-config
            write_files:
              - path: /etc/greeting
                content: "good morning from $where"
            runcmd:
              - |
                $notify --data-binary '{"status": "SUCCESS", "data": "cloud-init ran"}'
          params:
            $where: Debian
            $notify: {get_attr: [started, curl_cli]}
  ready:
    type: OS::Heat::WaitCondition
    depends_on: box
    properties: {handle: {get_resource: started}, timeout: 1500}
outputs:
  said: {value: {get_attr: [ready, data]}}
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    for name in private.names(tmp_path / "state"):
        private.remove(name, tmp_path / "state")


def run(state: Path, *words: str) -> str:
    command = [sys.executable, "-m", "stackengine.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2400, env={**os.environ, "STACKENGINE_STATE": str(state)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_genuine_cloud_init_reads_our_seed_and_signals(state: Path, tmp_path: Path) -> None:
    template = tmp_path / "debian.yaml"
    template.write_text(TEMPLATE)
    run(state, "images", "build", "debian-12-lab")
    run(state, "up", str(template), "--host", "private://debian", "--yes")
    assert "cloud-init ran" in run(state, "outputs", "debian", "said")
    seen = run(state, "ssh", "debian", "box", "--", "cat /etc/greeting; echo; hostname; cloud-init --version 2>&1; cat /etc/debian_version")
    greeting, host, version, debian = seen.split("\n")[:4]
    assert greeting == "good morning from Debian"
    assert host == "box"
    assert "cloud-init" in version
    assert debian.startswith("12.")
    run(state, "down", "debian", "--yes")
