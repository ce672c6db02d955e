"""Limits of bandwidth reach the interfaces of the ports that have their policy, change while servers run, and are refused where nothing would enforce them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from unit.service.house import House

pytestmark = pytest.mark.thorough

STACK = """
net: {type: 'SE::Network', properties: {mode: isolated, cidr: 10.9.0.0/24}}
policy: {type: 'OS::Neutron::QoSPolicy', properties: {name: slow}}
out: {type: 'OS::Neutron::QoSBandwidthLimitRule', properties: {policy: {get_resource: policy}, max_kbps: 8192, max_burst_kbps: 819}}
in: {type: 'OS::Neutron::QoSBandwidthLimitRule', properties: {policy: {get_resource: policy}, max_kbps: 16384, direction: ingress}}
port: {type: 'OS::Neutron::Port', properties: {network: {get_resource: net}, qos_policy: {get_resource: policy}}}
free: {type: 'OS::Neutron::Port', properties: {network: {get_resource: net}}}
web: {type: 'SE::Server', properties: {image: tiny, networks: [{port: {get_resource: port}}, {port: {get_resource: free}}]}}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.session.close()


def limits(house: House, view: str = "live_xml") -> list[dict[str, dict[str, str]]]:
    info = house.host.domain_info(house.instances()["web"].physical_id)
    assert info is not None
    return [{e.tag: dict(e.attrib) for e in i.findall("bandwidth/*")} for i in ET.fromstring(getattr(info, view)).findall("devices/interface")]


def test_a_policys_rules_are_its_ports_limits(house: House) -> None:
    house.up(STACK)
    assert limits(house) == limits(house, "xml") == [{"inbound": {"average": "2000"}, "outbound": {"average": "1000", "burst": "100"}}, {}]
    calls = house.faults()
    changed = STACK.replace("max_kbps: 8192, max_burst_kbps: 819", "max_kbps: 0").replace("16384", "8192")
    house.up(changed)
    assert limits(house) == limits(house, "xml") == [{"inbound": {"average": "1000"}}, {}]
    assert (calls.counts["domain_update_device"], "domain_reboot" in calls.counts) == (1, False)
    assert house.plan(changed).plan.empty
    house.up(changed.replace(", qos_policy: {get_resource: policy}", ""))
    assert limits(house) == [{}, {}]
    house.down()


def test_a_kernel_that_cannot_is_said_in_the_plan(house: House) -> None:
    house.host.profile = replace(house.host.profile, features=house.host.profile.features - {"bandwidth"})
    with pytest.raises(InvalidTemplateError) as wrong:
        house.plan(STACK)
    assert {d.code for d in wrong.value.diagnostics.errors} == {"K101"}
    assert "cannot limit bandwidth" in wrong.value.diagnostics.errors[0].summary
