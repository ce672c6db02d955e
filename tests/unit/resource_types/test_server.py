"""The server's parts: its seed, its definition, what is pinned, what needs a restart."""

from __future__ import annotations

import importlib
import io
import json
from typing import Any

import pytest

from stackengine import registry

TYPES = registry.load(entry_points=False)
_ = TYPES.types["SE::Server"].handler
seed: Any = importlib.import_module("stackengine_types.server.seed")
definition: Any = importlib.import_module("stackengine_types.server.definition")
sizes: Any = importlib.import_module("stackengine_types.server.sizes")

NIC = {"mac": "52:54:00:00:00:01", "address": "10.0.0.5", "prefix": 24, "gateway": "10.0.0.1", "dhcp": True}
IDENTITY = {"uuid": "11111111-1111-4111-8111-111111111111", "hostname": "web", "nics": [NIC]}


def files(user_data: str = "", *, again: bool = False, **nic: Any) -> dict[str, str]:
    found: dict[str, str] = seed.documents({**IDENTITY, "nics": [{**NIC, **nic}]}, user_data, ["ssh-ed25519 AAAA"], again=again)
    return found


def test_a_seed_is_a_small_iso_that_cloud_init_and_busybox_can_read() -> None:
    from pycdlib import PyCdlib

    iso = PyCdlib()
    iso.open_fp(seed.iso_of(files("#!/bin/sh\n")))
    assert iso.pvd.volume_identifier.decode().strip() == "cidata"
    out = io.BytesIO()
    iso.get_file_from_iso_fp(out, joliet_path="/user-data")
    assert out.getvalue() == b"#!/bin/sh\n"
    again = io.BytesIO()
    iso.get_file_from_iso_fp(again, rr_path="/meta-data")
    assert json.loads(again.getvalue()) == {"instance-id": IDENTITY["uuid"], "local-hostname": "web", "public-keys": ["ssh-ed25519 AAAA"]}


def test_equal_documents_are_one_seed_and_others_another() -> None:
    assert seed.digest_of(files("a")) == seed.digest_of(files("a"))
    assert seed.digest_of(files("a")) != seed.digest_of(files("b"))


def test_only_a_restart_for_new_user_data_makes_a_new_instance_of_a_guest() -> None:
    assert json.loads(files("a")["meta-data"])["instance-id"] == json.loads(files("b")["meta-data"])["instance-id"]
    assert json.loads(files("a", again=True)["meta-data"])["instance-id"] != json.loads(files("b", again=True)["meta-data"])["instance-id"]


def test_interfaces_are_told_by_mac_with_dhcp_or_a_static_address() -> None:
    assert json.loads(files()["network-config"])["ethernets"]["nic0"] == {"match": {"macaddress": NIC["mac"]}, "set-name": "eth0", "dhcp4": True}
    static = json.loads(files(dhcp=False)["network-config"])["ethernets"]["nic0"]
    assert static["addresses"] == ["10.0.0.5/24"]
    assert static["routes"] == [{"to": "0.0.0.0/0", "via": "10.0.0.1"}]
    assert json.loads(files(dhcp=False, address="")["network-config"])["ethernets"]["nic0"]["dhcp4"] is False


DOMAIN = """<domain type='qemu'><name>n</name><memory unit='MiB'>{memory}</memory><currentMemory unit='MiB'>64</currentMemory><vcpu>{vcpus}</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><kernel>/k</kernel></os><devices>
<disk type='file'><source file='{seed}'/><target dev='vdzz'/><alias name='ua-seed'/><address type='pci' bus='0x04'/></disk>
<controller type='pci' index='1' model='pcie-root-port'><address type='pci' slot='0x01'/></controller>
<memballoon model='virtio'><address type='pci' bus='0x05'/></memballoon></devices></domain>"""


def domain(memory: int = 128, vcpus: int = 1, seed_file: str = "/s1") -> str:
    return DOMAIN.format(memory=memory, vcpus=vcpus, seed=seed_file)


@pytest.mark.parametrize(("wanted", "restart"), [
    (domain(), False), (domain(vcpus=2), True), (domain(memory=256), True), (domain(memory=64), False), (domain(seed_file="/s2"), True),
    (domain().replace("<kernel>/k</kernel>", "<kernel>/k2</kernel>"), True), (domain().replace("'MiB'>128", "'KiB'>131072"), False),
])  # fmt: skip
def test_only_what_a_start_brings_needs_a_restart(wanted: str, restart: bool) -> None:
    assert definition.needs_restart(domain(), wanted) is restart
    assert definition.needs_restart("", wanted) is False


def test_what_the_host_chose_is_pinned_and_what_was_pinned_stays() -> None:
    found = definition.pins(domain(), {})
    assert found["machine"] == "pc-q35-7.2"
    assert found["ports"] == 1
    assert found["addresses"]["ua-seed"] == {"type": "pci", "bus": "0x04"}
    moved = domain().replace("bus='0x04'", "bus='0x09'").replace("7.2", "9.9")
    assert definition.pins(moved, found) == found


def test_sizes_come_from_numbers_first_then_from_the_flavor() -> None:
    assert (sizes.vcpus_of({"flavor": "m1.medium"}), sizes.memory_of({"flavor": "m1.medium"})) == (2, 4096)
    assert (sizes.vcpus_of({"flavor": "m1.medium", "vcpus": 3}), sizes.memory_of({"memory": 100})) == (3, 100)
    assert sizes.maximum_of({"memory": 100, "max_memory": 300}) == 300
    wrong = sizes.unknown_flavor({"flavor": "m1.smal"})
    assert "did you mean m1.small?" in wrong.hint
    assert sizes.unknown_flavor({"flavor": "t3.micro"}) is None


IGNITION = '{"ignition": {"version": "3.4.0"}}'


@pytest.mark.parametrize(("want", "kind"), [
    ({}, "nocloud"), ({"user_data": "#cloud-config\n"}, "nocloud"), ({"user_data": IGNITION}, "ignition"), ({"user_data": "{}"}, "nocloud"),
    ({"user_data": "{"}, "nocloud"), ({"user_data": '{"ignition": 3}'}, "nocloud"), ({"user_data": IGNITION, "seed": "config-drive"}, "config-drive"),
])  # fmt: skip
def test_what_a_guest_finds_its_data_on_is_said_or_seen_in_its_user_data(want: dict[str, Any], kind: str) -> None:
    assert seed.kind_of(want) == kind


def test_a_config_drive_has_its_files_in_folders() -> None:
    from pycdlib import PyCdlib

    iso = PyCdlib()
    iso.open_fp(seed.iso_of({"openstack/latest/meta_data.json": "{}", "openstack/latest/user_data": "#!/bin/sh\n"}, "config-2"))
    assert iso.pvd.volume_identifier.decode().strip() == "config-2"
    for names in ({"joliet_path": "/openstack/latest/user_data"}, {"rr_path": "/openstack/latest/user_data"}):
        out = io.BytesIO()
        iso.get_file_from_iso_fp(out, **names)
        assert out.getvalue() == b"#!/bin/sh\n"


def test_ignition_wants_its_config_and_is_told_apart_on_hosts_that_give_none() -> None:
    from dataclasses import replace

    from stackengine.hosts.memory.host import PROFILE

    handler = TYPES.types["SE::Server"].handler
    assert [r.prop for r in handler.check({"image": "tiny", "seed": "ignition", "user_data": "#!/bin/sh"})] == ["seed"]
    assert not handler.check({"image": "tiny", "user_data": IGNITION})
    assert [r.severity for r in handler.check({"image": "tiny", "user_data": IGNITION, "ssh_keys": ["ssh-ed25519 AAAA"]})] == ["notice"]
    assert "seed" in [r.prop for r in handler.refuse({"user_data": IGNITION}, replace(PROFILE, domain_type="xen"))]
