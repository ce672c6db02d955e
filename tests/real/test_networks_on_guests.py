"""Kinds of networks on real packets: guests with IPv6 only, with both families, with routes of their subnet, and on a bridge that was there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackengine.hosts import private
from stackengine.hosts.private import requirements

lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

SIX = """heat_template_version: 2018-08-31
resources:
  six: {type: OS::Neutron::Net}
  range: {type: OS::Neutron::Subnet, properties: {network: {get_resource: six}, ip_version: 6}}
  both: {type: 'SE::Network', properties: {mode: isolated, bridge: sebothbridge}}
  b4: {type: OS::Neutron::Subnet, properties: {network: {get_resource: both}, cidr: 10.77.0.0/24, host_routes: [{destination: 10.88.0.0/16, nexthop: 10.77.0.9}]}}
  b6: {type: OS::Neutron::Subnet, properties: {network: {get_resource: both}, cidr: 'fd00:77::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac}}
  done: {type: OS::Heat::WaitConditionHandle}
  wait: {type: OS::Heat::WaitCondition, properties: {handle: {get_resource: done}, timeout: 120}}
  a:
    type: OS::Nova::Server
    properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: six}}]}
  b:
    type: OS::Nova::Server
    properties:
      image: tiny
      flavor: tiny
      networks: [{network: {get_resource: six}}, {network: {get_resource: both}}]
      user_data_format: RAW
      user_data:
        str_replace:
          template: |
            #!/bin/sh
            wc_notify --data-binary '{"status": "SUCCESS"}'
          params: {wc_notify: {get_attr: [done, curl_cli]}}
"""
FLAT = """heat_template_version: 2018-08-31
resources:
  flat: {type: OS::Neutron::ProviderNet, properties: {network_type: flat, physical_network: sebothbridge}}
  c: {type: 'SE::Server', properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: flat}}], ready: {gate: cloud-init}}}
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("state")
    yield folder
    for name in private.names(folder):
        private.remove(name, folder)


def run(state: Path, *arguments: str, code: int | None = 0) -> str:
    command = [sys.executable, "-m", "stackengine.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "STACKENGINE_STATE": str(state)})
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


def up(state: Path, name: str, template: str) -> None:
    (state / f"{name}.yaml").write_text(template)
    run(state, "up", str(state / f"{name}.yaml"), "--name", name, "--host", "private://networks", "--yes")


def inside(state: Path, stack: str, server: str, command: str) -> str:
    return run(state, "ssh", stack, server, "--", command, code=None)


def test_ipv6_only_guests_both_families_and_a_bridge_that_is_there(state: Path) -> None:
    up(state, "six", SIX)  # ready by a signal that b sent over IPv6: a's network has no other family
    assert "1 packets received" in inside(state, "six", "b", "ping -6 -c 1 -W 3 a")
    addresses = inside(state, "six", "b", "ip -o addr show dev eth1 scope global; ip route")
    assert "10.77.0." in addresses
    assert "fd00:77::" in addresses
    assert "10.88.0.0/16 via 10.77.0.9" in addresses  # by DHCP
    assert "default" not in addresses  # an isolated network has no way out

    up(state, "flat", FLAT)
    assert "lease 10.77.0." in run(state, "logs", "flat", "c")  # of the network whose bridge it is
    run(state, "down", "flat", "--yes")
    run(state, "down", "six", "--yes")
