"""Volumes on the memory host: what they start with, what stays of them, who may read them, and what is never told."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from stackengine import sdk
from stackengine.cli.main import main
from stackengine.hosts import open_host
from stackengine.model.diagnostics import Diagnostic, InvalidTemplateError
from stackengine.service.stacks import carry_out, preview, preview_down
from stackengine.service.types import Request
from stackengine.testing import spelling
from unit.cli.cli_documents import check
from unit.service.house import House

pytestmark = pytest.mark.thorough

DATA = "data: {type: 'SE::Volume', properties: {size: 1%s}%s}\n"
WRITER = """
web: {type: 'SE::Server', properties: {image: tiny}}
att: {type: 'SE::VolumeAttachment', properties: {server: {get_resource: web}, volume: {get_resource: data}}}
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def ends(house: House, resources: str) -> str:
    result = house.up(resources)
    return "complete" if result.status == "complete" else "; ".join(f.message for f in result.failures)


def refused(house: House, resources: str) -> set[tuple[str, str]]:
    """(code, summary) of every error."""
    try:
        found: Iterable[Diagnostic] = house.plan(resources).plan.diagnostics
    except InvalidTemplateError as error:
        found = error.diagnostics
    return {(d.code, d.summary) for d in found if d.severity == "error"}


def test_a_snapshot_of_what_a_guest_writes_to_is_what_another_volume_starts_with(house: House) -> None:
    snap = "snap: {type: 'SE::VolumeSnapshot', depends_on: att, properties: {volume: {get_resource: data}, trigger: %s}}\n"
    new = "new: {type: 'SE::Volume', properties: {source: {get_resource: snap}}}\n"
    assert ends(house, DATA % ("", "") + WRITER + snap % "one" + new) == "complete"
    first = house.instances()
    assert first["new"].attributes["size"] == 1
    assert ends(house, DATA % ("", "") + WRITER + snap % "two" + new) == "complete"
    second = house.instances()
    assert first["snap"].physical_id not in house.volumes()
    assert {second["snap"].physical_id, second["new"].physical_id, second["data"].physical_id} <= house.volumes()
    assert second["data"].physical_id == first["data"].physical_id
    assert house.down().status == "complete"
    assert house.volumes() == set()


def test_what_stays_by_the_policy_snapshot_is_what_another_stack_starts_with(house: House) -> None:
    assert ends(house, DATA % ("", ", deletion_policy: Snapshot")) == "complete"
    volume = house.instances()["data"].physical_id
    assert house.down().status == "complete"
    kept = sdk.copy_name(volume)
    assert house.volumes() == {kept}
    assert ends(house, f"again: {{type: 'SE::Volume', properties: {{source: default/{kept}, size: 2}}}}") == "complete"
    assert house.instances()["again"].attributes["capacity"] == 2 << 30
    assert ends(house, "again: {type: 'SE::Volume', properties: {source: nothing}}").startswith("there is no volume nothing in the pool default")


def test_a_volume_that_is_retained_stays(house: House) -> None:
    assert ends(house, DATA % ("", ", deletion_policy: Retain")) == "complete"
    volume = house.instances()["data"].physical_id
    assert house.down().status == "complete"
    assert house.volumes() == {volume}


def test_the_disk_of_another_stack_is_nothing_to_start_with(house: House) -> None:
    assert ends(house, DATA % ("", "")) == "complete"
    foreign = house.instances()["data"].physical_id
    record = sdk.record_on(house.host, "default", foreign)
    assert record is not None
    house.host.volume_delete("default", f"{foreign}.json")
    house.host.volume_create("default", f"<volume><name>{foreign}.json</name><capacity>1024</capacity></volume>")
    data = json.dumps({**record, "stack_id": "another", "stack": "other"}).encode()
    house.host.volume_upload("default", f"{foreign}.json", io.BytesIO(data), len(data), lambda: None)
    assert f"the volume {foreign} belongs to the stack other" in ends(house, f"mine: {{type: 'SE::Volume', properties: {{source: {foreign}}}}}")


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        ("{}", "V107", "data: it needs a size"),
        ("{size: 1, image: a.img, source: b}", "V107", "data.source: a volume starts with an image or with another volume, not with both"),
        ("{size: 1, shared: true}", "V107", "data.shared: several servers can write to a raw volume only"),
        ("{size: 1, at: 'nbd://10.0.0.1/x'}", "V107", "data.size: a disk that is there already (at) has what it has"),
        ("{at: 'sheepdog://10.0.0.1/x'}", "V107", "data.at: QEMU has no driver for Sheepdog since 6.0"),
        ("{at: 'iscsi://10.0.0.1/x'}", "V107", "data.at: iscsi://10.0.0.1/x: an iSCSI disk is named TARGET/LUN"),
        ("{at: 'http://10.0.0.1/x'}", "V107", "data.at: http://10.0.0.1/x is no disk on the network"),
        ("{size: 1, passphrase: x}", "V107", "data.passphrase: only an encrypted volume has a passphrase"),
        ("{size: 1, pool: luns}", "K101", "data.pool: libvirt makes no volumes in a pool of the kind iscsi-direct"),
        ("{size: 1, pool: vg}", "K101", "data.format: a volume in a pool of the kind logical is raw"),
        ("{size: 1, pool: vg, format: raw, encrypted: true}", "K101", "data.encrypted: volumes in a pool of the kind logical are not encrypted here"),
        ("{size: 1, pool: ceph, format: raw, image: a.img}", "K101", "data.image: libvirt cannot bring an image into a pool of the kind rbd"),
        ("{size: 1, pool: old}", "K101", "data.pool: the pool old is of the kind sheepdog, which is not supported"),
        ("{size: 1, pool: none}", "K103", "data: there is no storage pool none on memory://"),
    ],
)
def test_what_a_volume_cannot_be_is_said_before(house: House, said: str, code: str, text: str) -> None:
    for name, kind in (("luns", "iscsi-direct"), ("vg", "logical"), ("ceph", "rbd"), ("old", "sheepdog")):
        house.host.pool_define(f"<pool type='{kind}'><name>{name}</name></pool>")
    assert (code, text) in refused(house, f"data: {{type: 'SE::Volume', properties: {said}}}")


def test_a_volume_does_not_shrink(house: House) -> None:
    assert ends(house, "data: {type: 'SE::Volume', properties: {size: 2}}") == "complete"
    assert refused(house, DATA % ("", "")) == {("L108", "data.size: a volume does not shrink from 2 to 1 GiB")}


def test_an_image_becomes_a_copy_where_no_layer_can_stand_over_it(house: House) -> None:
    house.host.pool_define(sdk.pool_xml("vg", {"kind": "logical", "name": "vg0"}))
    disk = house.folder / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    for said in (f"size: 1, format: raw, image: {disk}", f"size: 1, format: raw, pool: vg, image: {disk}", f"size: 1, encrypted: true, image: {disk}"):
        assert ends(house, f"data: {{type: 'SE::Volume', properties: {{{said}}}}}") == "complete"
        made = house.instances()["data"]
        found = house.host.volume_info(str(made.properties["pool"]), made.physical_id)
        assert found is not None
        assert not found.backing
    assert house.down().status == "complete"
    assert house.volumes() == set()


def test_a_passphrase_is_told_to_nobody(house: House) -> None:
    text = "heat_template_version: 2018-08-31\nparameters: {word: {type: string, hidden: true}}\nresources:\n"
    lines = "data: {type: 'SE::Volume', properties: {size: 1, encrypted: true, passphrase: {get_param: word}}}" + WRITER
    text += "".join(f"  {line}\n" for line in lines.splitlines())
    assert carry_out(house.session, house.plan(text, parameters={"word": "correct horse battery"})).status == "complete"
    secret, volume = house.instances()["data"].identity["secret"], house.instances()["data"].physical_id
    assert house.host.secret_value(secret) == b"correct horse battery"
    stored = b"".join(p.read_bytes() for p in house.folder.rglob("*") if p.is_file() and "memory" not in p.parts)
    assert b"horse" not in stored
    assert "horse" not in str([house.host.domain_list(), sdk.record_on(house.host, "default", volume)])
    assert house.down().status == "complete"
    assert house.host.secret_value(secret) is None


def test_a_literal_passphrase_is_in_no_plan_and_one_that_is_made_in_no_record(house: House) -> None:
    given = "data: {type: 'SE::Volume', properties: {size: 1, encrypted: true%s}}\n"
    assert "horse" not in str(house.plan(given % ", passphrase: correct horse").plan)
    assert ends(house, given % "") == "complete"
    made = house.host.secret_value(house.instances()["data"].identity["secret"])
    assert made is not None
    assert len(made) == 32
    stored = b"".join(p.read_bytes() for p in house.folder.rglob("*") if p.is_file() and "memory" not in p.parts)
    assert made not in stored


def test_a_kept_copy_keeps_its_passphrase(house: House) -> None:
    assert ends(house, "data: {type: 'SE::Volume', deletion_policy: Snapshot, properties: {size: 1, encrypted: true}}") == "complete"
    secret = house.instances()["data"].identity["secret"]
    assert house.down().status == "complete"
    assert house.host.secret_value(secret) is not None


def test_many_read_what_nobody_writes(house: House) -> None:
    two = "".join(
        f"web{n}: {{type: 'SE::Server', properties: {{image: tiny}}}}\n"
        f"att{n}: {{type: 'SE::VolumeAttachment', properties: {{server: {{get_resource: web{n}}}, volume: {{get_resource: data}}{{more}}}}}}\n"
        for n in (1, 2)
    ).replace("{more}", "%s")
    assert ends(house, DATA % ("", "") + two % (", read_only: true", ", read_only: true")) == "complete"
    assert house.down().status == "complete"
    assert ends(house, DATA % (", read_only: true", "") + two % ("", "")) == "complete"
    assert house.down().status == "complete"
    assert ends(house, DATA % (", shared: true, format: raw", "") + two % ("", "")) == "complete"
    assert house.down().status == "complete"
    assert "write" in ends(house, DATA % ("", "") + two % ("", ", read_only: true"))


def test_a_writer_becomes_a_reader_on_its_server(house: House) -> None:
    text = DATA % ("", "") + WRITER
    assert ends(house, text) == "complete"
    assert ends(house, text.replace("volume: {get_resource: data}}", "volume: {get_resource: data}, read_only: true}")) == "complete"
    assert "<readonly" in house.host.domain_list()[0].xml


def test_what_is_wiped_is_overwritten_first(house: House) -> None:
    assert ends(house, DATA % (", wipe: true", "")) == "complete"
    faults = house.faults()
    assert house.down().status == "complete"
    assert faults.counts["volume_wipe"] == 1


def another(house: House, resources: str) -> str:
    """How ``up`` of the stack ``other`` ends, of the same store and on the same host."""
    result = carry_out(house.session, preview(house.session, Request("other", house.write(resources, "other.yaml"))))
    return "complete" if result.status == "complete" else "; ".join(f"{f.message} {f.hint}" for f in result.failures)


def signed(house: House, volume: str, **changes: Any) -> None:
    """Write a volume's record anew, as another owner would have it."""
    record = sdk.record_on(house.host, "default", volume) or {}
    data = json.dumps({**record, **changes}).encode()
    house.host.volume_delete("default", f"{volume}.json")
    house.host.volume_create("default", f"<volume><name>{volume}.json</name><capacity>{len(data)}</capacity></volume>")
    house.host.volume_upload("default", f"{volume}.json", io.BytesIO(data), len(data), lambda: None)


USING = "mine: {type: 'SE::Volume', properties: {existing: '%s', wipe: true}}\n"


def test_a_volume_of_another_stack_is_neither_used_nor_wiped(house: House) -> None:
    assert ends(house, DATA % ("", "")) == "complete"
    theirs = house.instances()["data"].physical_id
    faults = house.faults()
    said = another(house, USING % theirs)
    assert f"the volume {theirs} in pool default belongs to the stack shop (data)" in said
    assert f"virsh vol-delete --pool default {theirs}.json" in said
    assert f"the volume {theirs}.json in pool default is a record of stackengine's own" in another(house, USING % f"{theirs}.json")
    assert carry_out(house.session, preview_down(house.session, "other")).status == "complete"
    assert "volume_wipe" not in faults.counts
    assert theirs in house.volumes()


def test_a_volume_of_another_store_is_told_apart_from_one_of_a_stack_with_the_same_name(house: House) -> None:
    assert ends(house, DATA % ("", "")) == "complete"
    theirs = house.instances()["data"].physical_id
    signed(house, theirs, store="elsewhere", stack_id="theirs", stack="other")
    assert f"the volume {theirs} in pool default belongs to the stack other of another store (data)" in another(house, USING % theirs)


def test_images_of_the_host_and_copies_that_another_stack_left_are_not_used_up(house: House) -> None:
    assert ends(house, DATA % ("", ", deletion_policy: Snapshot") + WRITER) == "complete"
    kept = sdk.copy_name(house.instances()["data"].physical_id)
    used = next(i for i in house.instances().values() if i.type == "SE::Image")
    image, pool = used.attributes["kernel"].rpartition("/")[2], used.properties["pool"]
    assert f"the volume {image} in pool {pool} is an image of this host" in another(house, USING % f"{image}', pool: '{pool}")
    assert house.down().status == "complete"
    assert f"the volume {kept} in pool default belongs to the stack shop (data) a copy may be had" in another(house, USING % kept)


def test_a_volume_that_became_somebody_elses_is_left_unwiped(house: House) -> None:
    house.host.volume_create("default", "<volume><name>plain.img</name><capacity>1073741824</capacity></volume>")
    assert ends(house, USING % "plain.img") == "complete"
    signed(house, "plain.img", stack_id="theirs", stack="other", store="elsewhere", path="data", whole=True)
    faults = house.faults()
    assert house.down().status == "complete"
    assert "volume_wipe" not in faults.counts
    assert house.host.volume_info("default", "plain.img") is not None


def test_a_disk_that_another_store_uses_is_used_by_it_alone_unless_both_share_it(house: House) -> None:
    house.host.volume_create("default", "<volume><name>plain.img</name><capacity>1073741824</capacity></volume>")
    shared = "data: {type: 'SE::Volume', properties: {existing: plain.img, shared: true}}\n"
    assert ends(house, shared) == "complete"
    signed(house, house.instances()["data"].physical_id, stack_id="theirs", store="elsewhere")
    assert "the disk default/plain.img is used by the stack shop of another store (data)" in another(house, USING % "plain.img")
    assert another(house, shared) == "complete"


def test_a_lun_is_used_and_left(house: House) -> None:
    said = {"kind": "iscsi-direct", "hosts": [{"name": "10.0.0.1", "port": 3260}], "device": "iqn.2026-01.org.example:d"}
    house.host.pool_define(sdk.pool_xml("luns", {**said, "initiator": "iqn.2026-01.org.example:us"}))
    house.host.volume_create("luns", "<volume><name>unit:0:0:1</name><capacity>1073741824</capacity></volume>")
    assert ends(house, "data: {type: 'SE::Volume', properties: {pool: luns, existing: 'unit:0:0:1'}}\n") == "complete"
    assert house.instances()["data"].attributes["disk"] == {
        "type": "network", "protocol": "iscsi", "name": "iqn.2026-01.org.example:d/1", "hosts": [{"name": "10.0.0.1", "port": 3260}],
        "initiator": "iqn.2026-01.org.example:us", "format": "raw",
    }  # fmt: skip
    assert house.down().status == "complete"
    assert house.host.volume_info("luns", "unit:0:0:1") is not None
    assert house.volumes() == set()


POOLS: dict[str, dict[str, Any]] = {
    "dir": {"path": "/srv/a"},
    "fs": {"device": "/dev/vdb1", "path": "/srv/a", "format": "ext4"},
    "netfs": {"hosts": [{"name": "nas"}], "dir": "/export", "path": "/srv/a", "format": "nfs"},
    "logical": {"name": "vg0", "devices": ["/dev/vdb", "/dev/vdc"]},
    "disk": {"device": "/dev/vdb"},
    "iscsi": {"hosts": [{"name": "10.0.0.1", "port": 3260}], "device": "iqn.2026-01.org.example:d", "auth": {"user": "u", "secret": "s"}},
    "iscsi-direct": {"hosts": [{"name": "10.0.0.1"}], "device": "iqn.2026-01.org.example:d", "initiator": "iqn.2026-01.org.example:us"},
    "scsi": {"adapter": "host0"},
    "mpath": {},
    "rbd": {"name": "vms", "hosts": [{"name": "10.0.0.1", "port": 6789}, {"name": "10.0.0.2"}], "auth": {"user": "u", "secret": "s"}},
    "zfs": {"name": "tank/vms", "devices": ["/dev/vdb"]},
}


@pytest.mark.parametrize("kind", sdk.KINDS)
def test_the_definition_of_a_pool_is_valid_under_libvirts_own_schema(kind: str) -> None:
    pytest.importorskip("lxml")
    xml = sdk.pool_xml("fast", {"kind": kind, **POOLS[kind]})
    try:
        assert not spelling.misspelt(xml, "storagepool"), xml
    except FileNotFoundError as missing:
        pytest.skip(f"{missing} is not installed (libvirt-clients)")


def test_pools_are_defined_listed_and_forgotten_on_the_command_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str, code: int = 0) -> str:
        assert main(["pools", *words, "--state", str(house.folder)]) == code
        done = capsys.readouterr()
        return done.out + done.err

    words = ("host=10.0.0.1:6789", "host=10.0.0.2", "name=vms", "auth=user:usage")
    found = check(json.loads(said("add", "memory://", "ceph", "rbd", *words, "--json")))
    assert [p["pool_kind"] for p in found["pools"] if p["name"] == "ceph"] == ["rbd"]
    xml = house.host.pool_info("ceph")
    assert xml is not None
    assert "<host name='10.0.0.1' port='6789'/><host name='10.0.0.2'/><name>vms</name><auth type='ceph' username='user'>" in xml.xml
    assert "ceph" in said("ls", "memory://")
    assert ends(house, DATA % (", format: raw, pool: ceph", "")) == "complete"
    assert "the stack shop has volumes in the pool ceph" in said("rm", "memory://", "ceph", code=1)
    assert house.down().status == "complete"
    assert "ceph" not in said("rm", "memory://", "ceph")
    assert "Ceph took its place" in said("add", "memory://", "old", "sheepdog", code=2)
    assert "it needs device" in said("add", "memory://", "disks", "disk", code=1)


def test_a_pool_that_says_too_little_or_too_much_is_refused() -> None:
    with pytest.raises(sdk.RefusedError, match=r"pool fast of the kind rbd: it needs name; it has no device"):
        sdk.pool_xml("fast", {"kind": "rbd", "hosts": [{"name": "a"}], "device": "x"})
    with pytest.raises(sdk.RefusedError, match="it needs path, the folder"):
        sdk.pool_xml("fast", {"kind": "dir"})
    with pytest.raises(sdk.RefusedError) as gone:
        sdk.pool_xml("old", {"kind": "sheepdog"})
    assert "Ceph took its place" in gone.value.hint


def test_user_mode_linux_is_refused_with_what_took_its_place(tmp_path: Path) -> None:
    with pytest.raises(sdk.HostError, match="no driver for User Mode Linux") as gone:
        open_host("uml:///system", tmp_path)
    assert "lxc:///" in gone.value.hint


def test_how_a_servers_own_volume_is_attached_changes_with_a_restart_and_its_limits_as_it_runs(house: House) -> None:
    text = DATA % ("", "") + "web: {type: 'SE::Server', properties: {image: tiny, volumes: [{volume: {get_resource: data}%s}]}}\n"
    assert ends(house, text % "") == "complete"
    limited = house.plan(text % ", limits: {total_iops: 100}").plan
    assert [c.effect for a in limited.actions.values() for c in a.changes] == ["live"]
    faults = house.faults()
    for said in (", cache: none", ", cache: none, bus: scsi", ""):
        before = faults.counts.get("domain_start", 0)
        changed = house.plan(text % said).plan
        assert [c.effect for a in changed.actions.values() for c in a.changes] == ["reboot"]
        assert ends(house, text % said) == "complete"
        assert faults.counts["domain_start"] == before + 1
