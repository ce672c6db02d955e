"""Kinds of networks on real packets: guests with IPv6 only, with both families, with routes of their subnet, and on a bridge that was there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

SIX = """heat_template_version: 2018-08-31
resources:
  six: {type: OS::Neutron::Net}
  range: {type: OS::Neutron::Subnet, properties: {network: {get_resource: six}, ip_version: 6}}
  both: {type: 'SE::Network', properties: {mode: isolated, bridge: sebothbridge}}
  b4:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: both}, cidr: 10.77.0.0/24, host_routes: [{destination: 10.88.0.0/16, nexthop: 10.77.0.9}]}
  c4: {type: OS::Neutron::Subnet, properties: {network: {get_resource: both}, cidr: 10.78.0.0/24}}
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
      networks: [{network: {get_resource: six}}, {network: {get_resource: both}}, {subnet: {get_resource: c4}}]
      user_data_format: RAW
      user_data:
        str_replace:
          template: |
            #!/bin/sh
            wc_notify --data-binary '{"status": "SUCCESS"}'
          params: {wc_notify: {get_attr: [done, curl_cli]}}
outputs:
  third: {value: {get_attr: [b, networks, both, 2]}}
"""
FLAT = """heat_template_version: 2018-08-31
resources:
  flat: {type: OS::Neutron::ProviderNet, properties: {network_type: flat, physical_network: sebothbridge}}
  c: {type: 'SE::Server', properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: flat}}], ready: {gate: cloud-init}}}
"""

ROUTED = """heat_template_version: 2018-08-31
parameters:
  interfaces: {type: number, default: 1}
  floating: {type: string, default: a}
conditions:
  to_a: {equals: [{get_param: floating}, a]}
  joined: {equals: [{get_param: interfaces}, 1]}
resources:
  front: {type: 'SE::Network', properties: {cidr: 10.81.0.0/24}}
  back: {type: 'SE::Network', properties: {cidr: 10.82.0.0/24}}
  outer: {type: 'SE::Network', properties: {cidr: 10.83.0.0/24}}
  router: {type: OS::Neutron::Router, properties: {external_gateway_info: {network: {get_resource: outer}}}}
  one: {type: 'SE::RouterInterface', properties: {router: {get_resource: router}, network: {get_resource: front}}}
  two: {type: 'SE::RouterInterface', condition: joined, properties: {router: {get_resource: router}, network: {get_resource: back}}}
  web: {type: OS::Neutron::SecurityGroup, properties: {rules: [{protocol: tcp, port_range_min: 80, port_range_max: 80}]}}
  place: {type: OS::Neutron::Port, properties: {network: {get_resource: front}, security_groups: [{get_resource: web}]}}
  other: {type: OS::Neutron::Port, properties: {network: {get_resource: back}}}
  floating: {type: OS::Neutron::FloatingIP, properties: {floating_network: {get_resource: outer}}}
  stands_for:
    type: 'SE::FloatingIPAssociation'
    properties:
      floating_ip: {get_resource: floating}
      port: {if: [to_a, {get_resource: place}, {get_resource: other}]}
  a:
    type: SE::Server
    properties:
      ready: {gate: cloud-init}
      image: tiny
      flavor: tiny
      networks: [{port: {get_resource: place}}]
      user_data: &page |
        #!/bin/sh
        mkdir -p /srv/cgi-bin; echo "page of $(hostname)" >/srv/index.html
        printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' >/srv/cgi-bin/who; chmod +x /srv/cgi-bin/who
        httpd -p 80 -h /srv; httpd -p 81 -h /srv
  b:
    type: SE::Server
    properties: {image: tiny, flavor: tiny, networks: [{port: {get_resource: other}}], ready: {gate: cloud-init}, user_data: *page}
  c:
    type: SE::Server
    properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: outer}}], ready: {gate: cloud-init}, user_data: *page}
outputs:
  a: {value: {get_attr: [place, address]}}
  b: {value: {get_attr: [b, address]}}
  c: {value: {get_attr: [c, address]}}
  floating: {value: {get_attr: [floating, floating_ip_address]}}
"""


def up(state: Path, name: str, template: str, *parameters: str) -> None:
    (state / f"{name}.yaml").write_text(template)
    words = [w for p in parameters for w in ("--param", p)]
    run(state, "up", str(state / f"{name}.yaml"), "--name", name, "--host", "private://networks", "--yes", *words)


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
    third = inside(state, "six", "b", "ip -4 -o addr show dev eth2")
    assert f"inet {run(state, 'outputs', 'six', 'third').strip()}/" in third  # reserved in the network's second range

    up(state, "flat", FLAT)
    assert "eth0 lease 10.7" in run(state, "logs", "flat", "c")  # of the network whose bridge it is
    run(state, "down", "flat", "--yes")
    run(state, "down", "six", "--yes")


def get(state: Path, server: str, address: str, port: int = 80, path: str = "/") -> str:
    """What a page says that a guest asks for, or nothing."""
    return inside(state, "routed", server, f"printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' | nc -w 3 {address} {port}")


def test_a_router_with_a_floating_address_that_moves_while_guests_run(state: Path) -> None:
    up(state, "routed", ROUTED)
    a, b, c, floating = (run(state, "outputs", "routed", name).strip() for name in ("a", "b", "c", "floating"))
    assert "page of a" in get(state, "b", a)  # from network to network
    assert f"\n{b}\n" not in get(state, "b", a, 81)  # but not where the security group says no
    assert get(state, "b", a, 81) == ""
    assert f"{floating}" in get(state, "a", c, path="/cgi-bin/who")  # out under its floating address
    assert get(state, "c", a) == ""  # the outer network has no way in
    assert "page of a" in get(state, "c", floating)  # but by the floating address
    assert get(state, "c", floating, 81) == ""

    since = inside(state, "routed", "a", "cat /proc/uptime")
    up(state, "routed", ROUTED, "floating=b", "interfaces=0")
    assert "page of b" in get(state, "c", floating)
    assert get(state, "b", a) == ""  # its network left the router
    assert float(inside(state, "routed", "a", "cat /proc/uptime").split()[0]) > float(since.split()[0])

    private.stop("networks", state)
    private.ensure("networks", state)
    run(state, "repair", "routed", "--yes")
    assert "page of b" in get(state, "c", floating)
    run(state, "down", "routed", "--yes")
    assert json.loads((private.find("networks", state).paths.folder / "forwarding.json").read_text()) == {}
