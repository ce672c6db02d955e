"""Objects that a template uses without owning them: read, referred to, compared, and never changed or deleted."""

from __future__ import annotations

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.sdk import volume_xml
from stackengine.service import drift, stacks
from unit.service.house import House, plan_of, run

pytestmark = pytest.mark.thorough

GIB = 1 << 30
NETWORK = """<network><name>lan</name><uuid>22222222-2222-4222-8222-222222222222</uuid><forward mode='nat'/><bridge name='br9'/>
<ip address='10.9.0.1' netmask='255.255.255.0'><dhcp><range start='10.9.0.50' end='10.9.0.99'/></dhcp></ip></network>"""
DOMAIN = """<domain type='qemu'><name>box</name><uuid>11111111-1111-4111-8111-111111111111</uuid><memory unit='MiB'>128</memory>
<vcpu>1</vcpu><os><type>hvm</type></os></domain>"""
LAN = "lan: {type: SE::Network, external_id: lan}\n"
WEB = "web: {type: SE::Server, properties: {image: tiny, memory: 128, networks: [{network: {get_resource: lan}}], volumes: [{volume: {get_resource: data}}]}}\n"
DATA = "data: {type: OS::Cinder::Volume, external_id: data.qcow2}\n"
TOLD = "told: {type: OS::Heat::Value, properties: {value: {get_attr: [lan, cidr]}}}\n"


@pytest.fixture
def outside(house: House) -> House:
    """A house in which a network, a volume and a domain are that no stack made."""
    house.host.network_define(NETWORK)
    house.host.network_start("22222222-2222-4222-8222-222222222222")
    house.host.volume_create("default", volume_xml("data.qcow2", 2 * GIB, "qcow2"))
    house.host.domain_define(DOMAIN)
    return house


def foreign(house: House) -> tuple[object, ...]:
    """Everything there is of them."""
    host = house.host
    box = host.domain_info("11111111-1111-4111-8111-111111111111")
    return host.network_info("22222222-2222-4222-8222-222222222222"), host.volume_info("default", "data.qcow2"), box


def test_it_is_used_and_stays_as_it_is(outside: House) -> None:
    before = foreign(outside)
    planned = outside.plan(LAN + DATA + WEB + TOLD)
    assert [a for a in plan_of(planned) if a.startswith("read:")] == ["read:lan@1", "read:data@1"]
    assert planned.plan.counts() == {"add": 3, "change": 0, "replace": 0, "destroy": 0, "retain": 0}
    assert outside.up(LAN + DATA + WEB + TOLD).status == "complete"
    web, told = outside.instances()["web"], outside.instances()["told"]
    assert (web.identity["nics"][0]["dhcp"], web.identity["address"], told.properties["value"]) == (True, "", "10.9.0.0/24")
    info = outside.host.domain_info(web.physical_id)
    assert info is not None
    assert all(text in info.xml for text in ("data.qcow2", web.identity["nics"][0]["network_name"]))
    assert outside.plan(LAN + DATA + WEB + TOLD).plan.empty
    assert drift.look(outside.session, "shop").differences == ()
    assert outside.up(LAN + DATA).status == "complete"
    assert outside.down().status == "complete"
    assert foreign(outside) == before


def test_drift_shows_what_happens_to_it_and_the_next_plan_reads_it_again(outside: House) -> None:
    outside.up(LAN + DATA)
    outside.host.volume_resize("default", "data.qcow2", 3 * GIB)
    seen = drift.look(outside.session, "shop").differences
    assert [(d.path, d.prop, d.expected, d.found, d.effect) for d in seen] == [("data", "size", 2, 3, "none")]
    planned = drift.preview_repair(outside.session, "shop")
    assert plan_of(planned) == ["read:data@1"]
    assert stacks.carry_out(outside.session, planned).status == "complete"
    assert drift.look(outside.session, "shop").differences == ()
    outside.host.volume_delete("default", "data.qcow2")
    assert [(d.prop, d.found) for d in drift.look(outside.session, "shop").differences] == [("", None)]
    with pytest.raises(InvalidTemplateError) as wrong:
        outside.plan(LAN + DATA)
    assert [d.code for d in wrong.value.diagnostics] == ["L135"]
    assert plan_of(stacks.preview_rollback(outside.session, "shop", to=0)) == ["retain:data@1", "retain:lan@1"]


def test_what_changes_between_plan_and_walk_is_not_used(outside: House) -> None:
    planned = outside.plan(DATA)
    outside.host.volume_resize("default", "data.qcow2", 3 * GIB)
    result = stacks.carry_out(outside.session, planned)
    assert (result.status, "not as it was" in result.failures[0].message) == ("rolled_back", True)


@pytest.mark.parametrize(
    ("resources", "code"),
    [
        ("data: {type: SE::Volume, external_id: nobody.qcow2}\n", "L135"),
        ("sub: {type: SE::Port, external_id: x}\n", "L135"),
        (LAN + "own: {type: SE::RandomString}\ndata: {type: SE::Volume, external_id: {get_attr: [own, value]}}\n", "L135"),
        (LAN + "sub: {type: SE::Subnet, properties: {cidr: 10.8.0.0/24, network: {get_resource: lan}}}\n", "L138"),
        (("box: {type: SE::Server, external_id: box}\nown: {type: SE::Volume, properties: {size: 1}}\n"
         "att: {type: SE::VolumeAttachment, properties: {server: {get_resource: box}, volume: {get_resource: own}}}\n"), "L103"),
    ],
)  # fmt: skip
def test_what_would_change_it_or_is_not_there_is_refused(outside: House, resources: str, code: str) -> None:
    with pytest.raises(InvalidTemplateError) as wrong:
        outside.plan(resources)
    assert [d.code for d in wrong.value.diagnostics] == [code]


def test_what_the_template_says_of_it_is_only_compared(outside: House) -> None:
    planned = outside.plan("data: {type: SE::Volume, external_id: data.qcow2, properties: {size: 5}}\n")
    assert [(d.code, d.severity) for d in planned.diagnostics] == [("L137", "warning")]
    assert [d.code for d in outside.plan(DATA, replace=("data",)).diagnostics] == ["L139"]


def test_between_owned_and_used(outside: House) -> None:
    own = "data: {type: SE::Volume, properties: {size: 1}}\n"
    outside.up(own)
    mine = outside.instances()["data"].physical_id
    with pytest.raises(InvalidTemplateError) as wrong:
        outside.plan(f"data: {{type: SE::Volume, external_id: {mine}}}\n")
    assert [d.code for d in wrong.value.diagnostics] == ["L136"]
    assert plan_of(outside.plan(DATA)) == ["read:data@2", "delete:data@1"]
    assert outside.up(DATA).status == "complete"
    assert outside.volumes() == {"data.qcow2"}
    assert plan_of(outside.plan(own)) == ["create:data@3", "retain:data@2"]
    assert outside.up(own, allow=()).status == "complete"
    assert "data.qcow2" in outside.volumes()


CFN = """AWSTemplateFormatVersion: 2010-09-09
Parameters: {Which: {Type: String, Default: data.qcow2}}
Resources:
  Data: {Type: AWS::EC2::Volume, Metadata: {stackengine: {external: !Ref Which}}}
"""
TOSCA = """tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  node_templates:
    data: {type: tosca.nodes.Storage.BlockStorage, metadata: {stackengine: {external: data.qcow2}}}
"""


@pytest.mark.parametrize("text", [CFN, TOSCA])
def test_in_the_other_languages_it_stands_in_the_metadata(outside: House, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = outside.write(text, "other.yaml")
    found = run(outside, capsys, "up", str(file), "--name", "shop", "--host", "memory://", "--yes")
    assert found[-1]["status"] == "complete"
    (only,) = outside.instances().values()
    assert (only.external, only.physical_id, only.properties["size"]) == (True, "data.qcow2", 2)
