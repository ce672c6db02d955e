"""Networks on what the host has: VLAN tags, port groups and devices; what belongs together is said, and no packet filter is promised where none works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from unit.service.house import House

pytestmark = pytest.mark.thorough


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.session.close()


def faults(house: House, properties: str) -> list[str]:
    with pytest.raises(InvalidTemplateError) as wrong:
        house.plan(f"net: {{type: 'SE::Network', properties: {properties}}}")
    return [d.summary for d in wrong.value.diagnostics.errors]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("{mode: vlan}", "a VLAN has a tag"),
        ("{mode: direct}", "on a device of the host"),
        ("{mode: direct, device: eth0, bridge: br0}", "not on a bridge"),
        ("{mode: nat, cidr: auto, vlan: 5}", "belongs to a network of mode vlan"),
        ("{mode: vlan, vlan: 5, macvtap: vepa}", "belongs to a network of mode direct"),
        ("{mode: vlan, vlan: 5, cidr: 10.1.2.0/24}", "whoever runs that decides it"),
        ("{mode: vlan, port_groups: {a: {}}}", "either a vlan or a trunk"),
        ("{mode: vlan, port_groups: {a: {trunk: [1, 2], native: 3}}}", "is one of its trunk"),
    ],
)
def test_what_does_not_go_together_is_said(house: House, properties: str, said: str) -> None:
    assert any(said in summary for summary in faults(house, properties))


def test_a_host_without_a_switch_is_refused_in_the_plan(house: House) -> None:
    from dataclasses import replace

    profile = house.host.profile
    house.host.profile = replace(profile, features=profile.features - {"switch"})
    assert any("no virtual switch" in s for s in faults(house, "{mode: vlan, vlan: 5}"))


STACK = """
net:
  type: SE::Network
  properties: {mode: vlan, vlan: 10, port_groups: GROUPS}
subnet: {type: 'SE::Subnet', properties: {network: {get_resource: net}, cidr: 10.20.32.0/24, dhcp: false}}
port: {type: 'SE::Port', properties: {subnet: {get_resource: subnet}, port_group: blue}}
web: {type: 'SE::Server', properties: {image: tiny, networks: [{subnet: {get_resource: subnet}}, {port: {get_resource: port}}]}}
"""


def sources(house: House) -> list[dict[str, Any]]:
    info = house.host.domain_info(house.instances()["web"].physical_id)
    assert info is not None
    return [dict(s.attrib) for s in ET.fromstring(info.live_xml).findall("devices/interface/source")]


def test_interfaces_are_in_their_port_groups_which_change_while_guests_run(house: House) -> None:
    house.up(STACK.replace("GROUPS", "{blue: {vlan: 20}}"))
    assert [s.get("portgroup") for s in sources(house)] == [None, "blue"]
    calls = house.faults()
    changed = STACK.replace("GROUPS", "{blue: {vlan: 21}, all: {trunk: [10, 21], native: 10}}")
    house.up(changed)
    assert calls.counts["network_update"] == 2
    assert "network_destroy" not in calls.counts
    network = house.host.network_info(house.instances()["net"].physical_id)
    assert network is not None
    assert [(g.get("name"), [t.get("id") for t in g.findall("vlan/tag")]) for g in ET.fromstring(network.xml).findall("portgroup")] == [
        ("blue", ["21"]),
        ("all", ["10", "21"]),
    ]
    assert house.plan(changed).plan.empty
    house.up(STACK.replace("GROUPS", "{blue: {vlan: 21}}"))
    assert house.down().status == "complete"


@pytest.mark.parametrize("where", ["port", "server"])
def test_a_security_group_on_a_tagged_interface_is_refused(house: House, where: str) -> None:
    groups = "security_groups: [{get_resource: group}]"
    text = STACK.replace("GROUPS", "{blue: {vlan: 20}}")
    text = text.replace("port_group: blue", f"port_group: blue, {groups}") if where == "port" else text.replace("image: tiny,", f"image: tiny, {groups},")
    with pytest.raises(InvalidTemplateError) as wrong:
        house.plan(text + "group: {type: 'SE::SecurityGroup', properties: {}}\n")
    assert any("no packet filters work" in d.summary for d in wrong.value.diagnostics.errors)


def test_neutrons_and_toscas_words(house: House) -> None:
    house.up("net: {type: 'OS::Neutron::ProviderNet', properties: {network_type: vlan, segmentation_id: 7, physical_network: br0}}")
    assert {k: house.instances()["net"].properties[k] for k in ("mode", "vlan", "bridge")} == {"mode": "vlan", "vlan": 7, "bridge": "br0"}
    with pytest.raises(InvalidTemplateError):
        house.plan("net: {type: 'OS::Neutron::ProviderNet', properties: {network_type: flat, segmentation_id: 7, physical_network: br0}}")
    with pytest.raises(InvalidTemplateError):
        house.plan("net: {type: 'OS::Neutron::ProviderNet', properties: {network_type: gre, physical_network: br0}}")
    with pytest.raises(InvalidTemplateError) as wrong:
        house.plan("t: {type: 'OS::Neutron::Trunk', properties: {port: x}}")
    assert [d.code for d in wrong.value.diagnostics.errors] == ["R110"]
