"""VLANs on a real Open vSwitch (its datapath in user space, in a private host): who has the same tag is reached, who has another is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts.private import packages, requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements(switch=True) if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

HOST = "private://vlans"
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: SE::Network, properties: {mode: vlan, vlan: 10, port_groups: {blue: {vlan: 20}, both: {trunk: [10, 20], native: 10}}}}
  subnet: {type: SE::Subnet, properties: {network: {get_resource: net}, cidr: 10.62.0.0/24, dhcp: false}}
  one: {type: SE::Server, properties: {image: tiny, memory: 128, networks: [{subnet: {get_resource: subnet}, address: 10.62.0.11}], ready: {gate: agent}}}
  two: {type: SE::Server, properties: {image: tiny, memory: 128, networks: [{subnet: {get_resource: subnet}, address: 10.62.0.12}], ready: {gate: agent}}}
  three:
    type: SE::Server
    properties: {image: tiny, memory: 128, networks: [{subnet: {get_resource: subnet}, address: 10.62.0.13, port_group: blue}], ready: {gate: agent}}
"""


def reaches(state: Path, server: str, address: str) -> bool:
    return "1 packets received" in run(state, "exec", "lanes", server, "--", "ping", "-c", "1", "-W", "2", address, code=None)


def test_guests_of_one_vlan_reach_each_other_and_not_a_third_on_another(state: Path, tmp_path: Path) -> None:
    template = tmp_path / "lanes.yaml"
    template.write_text(TEMPLATE)
    assert packages.which("ovs-vsctl")
    assert "--switch" in run(state, "up", str(template), "--host", HOST, "--yes", code=3)
    run(state, "hosts", "start", "vlans", "--switch")
    run(state, "up", str(template), "--host", HOST, "--yes")
    assert reaches(state, "one", "10.62.0.12")
    assert reaches(state, "two", "10.62.0.11")
    assert not reaches(state, "one", "10.62.0.13")
    assert not reaches(state, "three", "10.62.0.12")
    template.write_text(TEMPLATE.replace("10.62.0.13, port_group: blue", "10.62.0.13"))
    run(state, "up", str(template), "--host", HOST, "--yes", "--allow", "replace,delete")
    assert reaches(state, "three", "10.62.0.11")
    run(state, "down", "lanes", "--yes")
