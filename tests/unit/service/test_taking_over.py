"""Renaming, letting go and taking over leave the object as it is."""

from __future__ import annotations

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import adopt, drift, stacks
from stackengine.service.types import Request, ServiceError
from unit.service.house import House, plan_of, run

pytestmark = pytest.mark.thorough

NET = "net: {type: SE::Network, properties: {cidr: 10.6.1.0/24}}\n"
DB = "%s: {type: SE::Volume, properties: {size: 1}%s}\n"
WEB = "%s: {type: SE::Server, properties: {image: tiny, memory: 128, networks: [{network: {get_resource: net}}]}%s}\n"
ATT = "att: {type: SE::VolumeAttachment, properties: {server: {get_resource: %s}, volume: {get_resource: %s}}}\n"
MOVED = ", metadata: {stackengine: {moved_from: %s}}"


def test_mv_keeps_every_identity_and_a_rollback_moves_back(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NET + DB % ("db", "") + WEB % ("web", "") + ATT % ("web", "db"))
    before, domains = house.instances(), house.domains()
    found = run(house, capsys, "mv", "shop", "web", "www", "--yes")
    assert found[-1]["status"] == "complete"
    assert [a["id"] for a in found[0]["actions"]] == ["update:www@1"], "what refers to it stays as it is"
    after = house.instances()
    assert (after["www"].identity, house.domains()) == (before["web"].identity, domains)
    info = house.host.domain_info(after["www"].identity["uuid"])
    assert info is not None
    assert 'path="www"' in info.xml
    assert house.plan(NET + DB % ("db", "") + WEB % ("www", "") + ATT % ("www", "db")).plan.empty
    assert drift.look(house.session, "shop").differences == ()
    assert run(house, capsys, "rollback", "shop", "--to", "1", "--yes")[-1]["status"] == "complete"
    assert {p: i.identity for p, i in house.instances().items()} == {p: i.identity for p, i in before.items()}
    run(house, capsys, "mv", "shop", "web", "db", "--yes", code=2)
    run(house, capsys, "mv", "shop", "nobody", "x", "--yes", code=2)


def test_moved_from_in_the_template_renames_and_is_suggested(house: House) -> None:
    house.up(NET + DB % ("db", "") + WEB % ("web", ""))
    before = house.instances()
    suggested = house.plan(NET + DB % ("data", "") + WEB % ("web", ""))
    assert [d.code for d in suggested.diagnostics] == ["L133"]
    assert house.up(NET + DB % ("data", MOVED % "db") + WEB % ("web", ""), allow=()).status == "complete"
    assert house.instances()["data"].identity == before["db"].identity
    assert house.up(NET + DB % ("data", MOVED % "db") + WEB % ("web", "")).status == "complete"
    assert house.up(NET + DB % ("data", "") + WEB % ("web", "")).status == "complete"
    assert len(house.volumes()) == 1


def test_an_update_that_renames_and_fails_is_moved_back(house: House) -> None:
    house.up(NET + DB % ("db", ""))
    before = house.instances()
    house.faults(fail={"domain_start": 1})
    assert house.up(NET + DB % ("data", MOVED % "db") + WEB % ("web", "")).status == "rolled_back"
    assert house.instances() == before


def test_a_new_name_reaches_the_host_also_where_the_update_that_brought_it_stopped_before(house: House) -> None:
    house.up(NET + WEB % ("web", ""))
    renamed = NET + DB % ("db", "") + WEB % ("www", ", depends_on: db" + MOVED % "web")
    house.faults(fail={"volume_create": 1})
    assert house.up(renamed, on_failure="keep").status == "failed"
    assert 'path="web"' in house.host.domain_list()[0].xml
    assert house.up(renamed).status == "complete"
    assert 'path="www"' in house.host.domain_list()[0].xml


def test_forget_leaves_the_object_on_the_host(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NET + DB % ("db", ", metadata: {stackengine: {protect: true}}") + WEB % ("web", ""))
    run(house, capsys, "forget", "shop", "net", "--yes", code=1)
    assert run(house, capsys, "forget", "shop", "db", "--yes")[-1]["status"] == "complete"
    assert "db" not in house.instances()
    assert len(house.volumes()) == 1
    assert plan_of(stacks.preview_rollback(house.session, "shop"))
    house.down()
    assert len(house.volumes()) == 1


DOMAIN = """<domain type='qemu'><name>%s</name><uuid>%s</uuid><memory unit='MiB'>128</memory><currentMemory unit='MiB'>128</currentMemory>
<vcpu>1</vcpu><os><type>hvm</type></os><devices><sound model='ich9'/></devices></domain>"""
UUID = "11111111-1111-4111-8111-111111111111"
BARE = "old: {type: SE::Server, properties: {image: tiny, memory: %d, networks: []}}\n"


def imported(house: House, resources: str, path: str, physical_id: str) -> str:
    preview = adopt.preview_import(house.session, Request("shop", house.write(resources)), [(path, physical_id)])
    return stacks.carry_out(house.session, preview, allow=()).status


def test_a_volume_is_taken_over_when_it_is_as_the_template_says(house: House) -> None:
    target = "<target><format type='qcow2'/></target>"
    house.host.volume_create("default", f"<volume><name>mine.qcow2</name><capacity unit='GiB'>1</capacity>{target}</volume>")
    with pytest.raises(ServiceError, match=r"X207.*size"):
        imported(house, "db: {type: SE::Volume, properties: {size: 2}}\n", "db", "mine.qcow2")
    with pytest.raises(ServiceError, match="there is no volume"):
        imported(house, DB % ("db", ""), "db", "other.qcow2")
    assert imported(house, DB % ("db", "") + NET, "db", "mine.qcow2") == "complete"
    assert house.plan(DB % ("db", "") + NET).plan.empty
    assert house.host.volume_info("default", "mine.qcow2.json") is not None
    with pytest.raises(ServiceError, match="already"):
        imported(house, DB % ("db", "") + NET, "db", "mine.qcow2")
    house.down()
    assert house.volumes() == set()


def test_a_domain_keeps_its_definition_when_it_is_taken_over(house: House) -> None:
    house.host.domain_define(DOMAIN % ("legacy", UUID))
    house.host.domain_start(UUID)
    with pytest.raises(ServiceError, match="memory: the template says 256, the host has 128"):
        imported(house, BARE % 256, "old", "legacy")
    assert imported(house, BARE % 128, "old", "legacy") == "complete"
    info = house.host.domain_info(UUID)
    assert info is not None
    assert "ich9" in info.xml
    assert "urn:stackengine:1" in info.xml
    assert house.plan(BARE % 128).plan.empty
    assert drift.look(house.session, "shop").differences == ()
    house.up(BARE % 192)
    info = house.host.domain_info(UUID)
    assert info is not None
    assert "ich9" in info.xml
    assert info.state == "running"


def test_a_network_is_taken_over_and_what_belongs_to_a_stack_is_not(house: House) -> None:
    house.host.network_define("<network><name>lan</name><uuid>22222222-2222-4222-8222-222222222222</uuid><forward mode='nat'/><bridge name='lan0'/>"
                              "<ip address='10.6.1.1' netmask='255.255.255.0'/></network>")  # fmt: skip
    house.host.network_start("22222222-2222-4222-8222-222222222222")
    with pytest.raises((ServiceError, InvalidTemplateError)):
        imported(house, "net: {type: SE::Network, properties: {mode: isolated}}\n", "net", "lan")
    assert imported(house, "net: {type: SE::Network, properties: {mode: nat}}\n", "net", "lan") == "complete"
    assert house.instances()["net"].identity["bridge"] == "lan0"
    with pytest.raises(ServiceError, match="cannot be imported"):
        imported(house, "net: {type: SE::Network, properties: {mode: nat}}\nnothing: {type: OS::Heat::None}\n", "nothing", "x")


def test_an_object_of_somebody_else_is_never_made_in_its_place(house: House) -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan("net: {type: OS::Neutron::Net, external_id: theirs}\n")
    assert {d.code for d in caught.value.diagnostics.errors} == {"L135"}
