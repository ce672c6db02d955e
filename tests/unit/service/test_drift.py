"""What somebody did to the host behind our back is seen, property by property, and put right by a plan; what the host fills in is no drift."""

from __future__ import annotations

import pytest

from stackengine.service import drift
from unit.service.house import House, plan_of, run

pytestmark = pytest.mark.thorough

STACK = """\
net: {type: SE::Network, properties: {cidr: 10.7.1.0/24}}
db: {type: SE::Volume, properties: {size: 1}}
web: {type: SE::Server, properties: {image: tiny, memory: 128, networks: [{network: {get_resource: net}}], metadata: {tier: front}}%s}
att: {type: SE::VolumeAttachment, properties: {server: {get_resource: web}, volume: {get_resource: db}}}
"""
BASE = STACK % ""


@pytest.fixture
def up(house: House) -> House:
    assert house.up(BASE).status == "complete"
    return house


def seen(house: House) -> dict[str, tuple[object, object, str]]:
    return {f"{d.path}.{d.prop}".rstrip("."): (d.expected, d.found, d.effect) for d in drift.look(house.session, "shop").differences}


def change_domain(house: House, old: str, new: str) -> None:
    uuid = house.instances()["web"].identity["uuid"]
    found = house.host.domain_info(uuid)
    assert found is not None
    assert old in found.xml
    house.host.domain_define(found.xml.replace(old, new))


def test_a_stack_that_nobody_touched_has_none(up: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert seen(up) == {}
    found = run(up, capsys, "drift", "shop")[0]
    assert (found["drift"], found["read"]) == (False, len(up.instances()))


def test_a_guest_that_was_switched_off_is_switched_on_again(up: House, capsys: pytest.CaptureFixture[str]) -> None:
    uuid = up.instances()["web"].identity["uuid"]
    up.host.domain_destroy(uuid)
    assert seen(up) == {"web.power": ("running", "stopped", "live")}
    assert run(up, capsys, "drift", "shop", code=4)[0]["differences"][0]["property"] == "power"
    assert run(up, capsys, "repair", "shop", "--yes")[-1]["status"] == "complete"
    assert up.domains()[uuid] == "running"
    assert seen(up) == {}


def test_xml_that_was_edited_by_hand_is_named_by_its_place_and_defined_again(up: House) -> None:
    before = up.host.domain_info(up.instances()["web"].identity["uuid"])
    change_domain(up, "<on_crash>destroy</on_crash>", "<on_crash>restart</on_crash>")
    change_domain(up, ">front</", ">back</")
    change_domain(up, "<devices>", "<devices><sound model='ich9'/>")
    found = seen(up)
    assert found["web.definition.on_crash"] == ("destroy", "restart", "live")
    assert any(path.startswith("web.definition.metadata/stack/meta") and values[:2] == ("front", "back") for path, values in found.items())
    assert len(found) == 2
    assert drift_repaired(up)
    after = up.host.domain_info(up.instances()["web"].identity["uuid"])
    assert before is not None
    assert after is not None
    assert "<on_crash>destroy" in after.xml
    assert after.uuid == before.uuid


def drift_repaired(house: House) -> bool:
    from stackengine.service.stacks import carry_out

    preview = drift.preview_repair(house.session, "shop")
    return carry_out(house.session, preview, allow=()).status == "complete" and seen(house) == {}


def test_memory_and_an_interface_that_were_changed(up: House) -> None:
    mac = up.instances()["web"].identity["mac"]
    change_domain(up, '<currentMemory unit="MiB">128<', '<currentMemory unit="MiB">64<')
    change_domain(up, mac, "52:54:00:00:00:99")
    found = seen(up)
    assert found["web.memory"][:2] == (128, 64)
    assert found["web.definition.devices/interface[ua-nic0]/mac@address"][:2] == (mac, "52:54:00:00:00:99")
    assert drift_repaired(up)


def test_what_is_gone_is_made_again(up: House) -> None:
    uuid, volume = up.instances()["web"].identity["uuid"], up.instances()["db"].identity["volume_name"]
    up.host.domain_destroy(uuid)
    up.host.volume_delete("default", volume)
    found = seen(up)
    assert found["db"] == ("there", None, "live")
    assert "web.power" in found
    assert drift_repaired(up)
    assert volume in up.volumes()


def test_a_detached_disk_is_attached_again(up: House) -> None:
    up.host.domain_detach(up.instances()["web"].identity["uuid"], up.instances()["att"].identity["alias"])
    assert set(seen(up)) == {"att"}
    assert drift_repaired(up)


def test_a_network_that_was_stopped_or_lost_a_reservation(up: House) -> None:
    net, web = up.instances()["net"].identity, up.instances()["web"].identity
    xml_ = f"<host mac='{web['mac']}' name='{web['hostname']}' ip='{web['address']}'/>"
    up.host.network_update(net["uuid"], "delete", "ip-dhcp-host", xml_)
    assert seen(up) == {"net.reservations.web": (web["address"], None, "live")}
    assert drift_repaired(up)


def test_only_what_is_not_ignored_counts(house: House) -> None:
    ignoring = STACK % ", metadata: {stackengine: {ignore_changes: [power]}}"
    house.up(ignoring)
    house.host.domain_destroy(house.instances()["web"].identity["uuid"])
    assert seen(house) == {}
    assert plan_of(drift.preview_repair(house.session, "shop")) == []


def test_a_volume_that_somebody_let_grow_is_shown_and_left(up: House) -> None:
    up.host.volume_resize("default", up.instances()["db"].identity["volume_name"], 3 << 30)
    assert seen(up) == {"db.size": (1, 3, "none")}
    assert plan_of(drift.preview_repair(up.session, "shop")) == []


def test_what_a_host_does_not_tell_is_no_drift_and_no_silence(up: House, capsys: pytest.CaptureFixture[str]) -> None:
    up.faults(fail={"volume_info": 1})
    found = drift.look(up.session, "shop")
    assert len(found.unreadable) == 1
    assert found.differences == ()
    assert run(up, capsys, "show", "shop")
