"""Security groups on real packets: a filter stops one, and, changed while the guest runs, lets it pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  port: {type: number, default: 80}
  groups: {type: json, default: [web]}
  pairs: {type: json, default: []}
conditions:
  guarded: {equals: [{get_param: [groups, 0]}, web]}
resources:
  net: {type: 'SE::Network', properties: {cidr: auto}}
  web:
    type: OS::Neutron::SecurityGroup
    properties:
      rules: [{protocol: tcp, port_range_min: {get_param: port}, port_range_max: {get_param: port}}]
  place:
    type: OS::Neutron::Port
    properties: {network: {get_resource: net}, security_groups: {if: [guarded, [{get_resource: web}], []]}, allowed_address_pairs: {get_param: pairs}}
  a:
    type: SE::Server
    properties:
      ready: {gate: cloud-init}
      image: tiny
      flavor: tiny
      networks: [{port: {get_resource: place}}]
      user_data: |
        #!/bin/sh
        mkdir -p /srv; echo page >/srv/index.html
        httpd -p 80 -h /srv; httpd -p 81 -h /srv
  b:
    type: SE::Server
    properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: net}}], ready: {gate: cloud-init}}
outputs:
  address: {value: {get_attr: [place, address]}}
  other: {value: {get_attr: [b, address]}}
"""


def up(state: Path, *parameters: str) -> None:
    (state / "stack.yaml").write_text(TEMPLATE)
    words = [w for p in parameters for w in ("--param", p)]
    run(state, "up", str(state / "stack.yaml"), "--name", "groups", "--host", "private://groups", "--yes", *words)


def opens(state: Path, address: str, port: int) -> bool:
    """Whether b gets a page of a: from guest to guest, as what the host itself sends is not filtered."""
    return "page" in run(state, "ssh", "groups", "b", "--", f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 {address} {port}", code=None)


def pings(state: Path, address: str) -> bool:
    return "1 packets received" in run(state, "ssh", "groups", "b", "--", f"ping -c 1 -W 2 {address}", code=None)


def answers(state: Path, target: str, source: str) -> bool:
    """Whether a gets an answer of b when it sends from ``source``."""
    return "1 packets received" in run(state, "exec", "groups", "a", "--", "ping", "-c", "1", "-W", "2", "-I", source, target, code=None)


def filters(state: Path) -> list[str]:
    connection = libvirt.open(private.find("groups", state).libvirt_uri)
    found = [f.name() for f in connection.listAllNWFilters() if f.name().startswith("se-")]
    connection.close()
    return found


def test_a_packet_is_stopped_and_after_a_live_change_it_passes(state: Path) -> None:
    up(state)
    address = run(state, "outputs", "groups", "address").strip()
    assert opens(state, address, 80)
    assert not opens(state, address, 81)
    assert not pings(state, address)

    stranger = address.rpartition(".")[0] + ".250"
    run(state, "exec", "groups", "a", "--", "ip", "addr", "add", f"{stranger}/24", "dev", "eth0")
    other = run(state, "outputs", "groups", "other").strip()
    assert answers(state, other, address)
    assert not answers(state, other, stranger)  # it is not its own

    up(state, "port=81", f'pairs=[{{"ip_address": "{stranger}"}}]')
    assert answers(state, other, stranger)  # but allowed to it now, while it runs
    assert opens(state, address, 81)
    assert not opens(state, address, 80)

    up(state, "port=81", 'groups=["none"]')
    assert opens(state, address, 80)
    assert pings(state, address)

    up(state)
    assert opens(state, address, 80)
    assert not opens(state, address, 81)

    run(state, "down", "groups", "--yes")
    assert filters(state) == []
