"""Every property of a server is changed while its guest runs on real QEMU: what its schema and the plan say of the change is what libvirt did.

``live``: the very same guest runs on, and has the change; ``reboot``: the same domain was started anew; ``replace``: another domain.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from stackengine import registry
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.sdk import AgentError, TransientError
from stackengine.service import stacks
from stackengine.service.session import Session
from stackengine.service.types import Request, Settings

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

SERVER = registry.load(entry_points=False).types["SE::Server"]
STRENGTH = ("live", "reboot", "replace")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKcP3M4Hxk5MNGZ1IBpl30lEL74rQqVSgTQJevYz/8mY"
AROUND = {
    "net": {"type": "SE::Network", "properties": {"mode": "isolated", "cidr": "10.77.0.0/24"}},
    "more": {"type": "SE::Network", "properties": {"mode": "isolated", "cidr": "10.78.0.0/24"}},
    "group": {"type": "SE::SecurityGroup", "properties": {"rules": [{"protocol": "tcp", "from_port": 80, "to_port": 80}]}},
    "other": {"type": "SE::SecurityGroup", "properties": {}},
    "volume": {"type": "SE::Volume", "properties": {"size": 1}},
    "key": {"type": "SE::KeyPair", "properties": {"name": "key", "public_key": f"{KEY} one"}},
}
NET, MORE = {"network": {"get_resource": "net"}}, {"network": {"get_resource": "more"}}
TINY = {"image": "tiny", "memory": 192, "max_memory": 256, "vcpus": 1, "max_vcpus": 2, "networks": [NET], "shutdown_timeout": 0}
DISK = {"image": "./disk.raw", "memory": 64, "networks": [NET], "shutdown_timeout": 0}


@dataclass(frozen=True)
class Case:
    """``base`` with ``first``, changed to ``then``; ``effect`` where this change is stronger than the schema says of the property."""

    prop: str
    base: dict[str, Any]
    first: Any
    then: Any
    effect: str = ""

    def __str__(self) -> str:
        return f"{self.prop}{f'-{self.effect}' if self.effect else ''}"


BOOTED = [
    Case("metadata", TINY, {"role": "web"}, {"role": "shop", "tier": "front"}),
    Case("memory", TINY, 192, 160),
    Case("vcpus", TINY, 1, 2),
    Case("networks", TINY, [NET], [NET, MORE]),
    Case("networks", TINY, [NET, MORE], [NET]),
    Case("volumes", TINY, None, [{"volume": {"get_resource": "volume"}}]),
    Case("volumes", TINY, [{"volume": {"get_resource": "volume"}}], None),
    Case("security_groups", TINY, [{"get_resource": "group"}], [{"get_resource": "other"}]),
    Case("anti_spoofing", TINY, True, False),
    Case("metadata_service", TINY, {"enabled": True}, {"enabled": False}),
    Case("ready", TINY, {"gate": "running"}, {"gate": "agent"}),
    Case("user_data_update", TINY, "replace", "ignore"),
    Case("shutdown_timeout", TINY, 0, 1),
]
"""Changes of one guest that has booted, one after the other: only such a guest lets go of a device."""
OTHERS = [
    Case("disk", DISK, 1, 2),
    Case("root_disk", DISK, {"limits": {"total_iops": 400}}, {"limits": {"total_iops": 200, "read_bytes": 1048576}}),
    Case("root_disk", DISK, {"cache": "none"}, {"cache": "writeback"}, "reboot"),
    Case("vnc", TINY, {"password": "one"}, {"password": "two"}),
    Case("vnc", TINY, None, {}, "reboot"),
    Case("memory", {**TINY, "max_memory": None}, 192, 512, "reboot"),
    Case("vcpus", TINY, 2, 1, "reboot"),
    Case("max_memory", TINY, 256, 320),
    Case("max_vcpus", TINY, 2, 4),
    Case("flavor", {"image": "tiny", "networks": [NET], "shutdown_timeout": 0}, "m1.nano", "m1.micro"),
    Case("cdrom", TINY, None, "./disc.iso"),
    Case("cmdline", TINY, None, "console=ttyS0 quiet panic=-1 edd=off nosmp"),
    Case("firmware", DISK, "bios", "uefi"),
    Case("tpm", DISK, False, True),
    Case("vsock", DISK, False, True),
    Case("cpu", TINY, {"mode": "maximum"}, {"mode": "maximum", "features": {"x2apic": "disable"}}),
    Case("numa", {**TINY, "max_vcpus": 1, "max_memory": 192}, None, [{"vcpus": 1, "memory": 192}]),
    Case("watchdog", TINY, "reset", "poweroff"),
    Case("machine", DISK, "q35", "pc"),
    Case("nic_model", TINY, "virtio", "e1000e"),
    Case("video", {**TINY, "vnc": {}}, "virtio", "vga"),
    Case("rescue", DISK, None, "tiny"),
    Case("libvirt_overlay", TINY, "<domain><clock offset='utc'/></domain>", "<domain><clock offset='localtime'/></domain>"),
    Case("user_data", {**TINY, "user_data_update": "reboot"}, "#!/bin/sh\necho one\n", "#!/bin/sh\necho two\n", "reboot"),
    Case("user_data", TINY, "#!/bin/sh\necho one\n", "#!/bin/sh\necho two\n"),
    Case("networks", TINY, [NET], [MORE], "replace"),
    Case("name", TINY, "one", "two"),
    Case("image", DISK, "./disk.raw", "./disc.iso"),
    Case("key_name", TINY, None, {"get_resource": "key"}),
    Case("ssh_keys", TINY, [f"{KEY} one"], [f"{KEY} two"]),
    Case("seed", TINY, "nocloud", "config-drive"),
    Case("pool", TINY, "default", "se-layers"),
]
ELSEWHERE = {
    "power": "the guest does not run afterwards: real/test_servers_on_guests.py",
    "hugepages": "needs huge pages of the host",
    "arch": "a guest of another architecture takes minutes to boot",
    "pci": "needs a device of the host that nobody else has",
    "shares": "needs a folder that the machine's owner allows",
    "placement": "there is one host here",
    "vm_mode": "Xen's",
    "init": "of containers",
}
"""What is not changed here, and why."""
NEEDS = {"firmware": "uefi", "tpm": "tpm", "vsock": "vsock"}


class Place:
    """One stack of one server on a private host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = Session(Settings(str(folder / "state"), "private://rules"))
        self.host = self.session.host("private://rules")
        self.libvirt = libvirt.open(private.find("rules", folder / "state").libvirt_uri)
        (folder / "disk.raw").write_bytes(bytes(1 << 20))
        (folder / "disc.iso").write_bytes(bytes(1 << 20))

    def request(self, properties: dict[str, Any]) -> Request:
        said = {k: v for k, v in properties.items() if v is not None}
        template = {"heat_template_version": "2018-08-31", "resources": {**AROUND, "web": {"type": "SE::Server", "properties": said}}}
        (self.folder / "rules.yaml").write_text(yaml.safe_dump(template))
        return Request("rules", self.folder / "rules.yaml")

    def up(self, properties: dict[str, Any]) -> dict[str, str]:
        """Bring the server to these properties; property -> effect, as the plan says."""
        preview = stacks.preview(self.session, self.request(properties))
        result = stacks.carry_out(self.session, preview, on_failure="keep")
        assert result.status == "complete", result.failures
        return {c.prop: c.effect for a in preview.plan.actions.values() if a.path == "web" and a.verb in ("create", "update") for c in a.changes}

    def uuid(self) -> str:
        row = self.session.store.stack("rules")
        assert row is not None
        found = [i for i in self.session.store.recorded(row.id).instances.values() if i.path == "web"]
        return str(max(found, key=lambda i: i.generation).identity["uuid"])

    def runs(self) -> tuple[str, int]:
        """(UUID, libvirt's number of this run of the domain)."""
        domain = self.libvirt.lookupByUUIDString(self.uuid())
        assert domain.isActive()
        return domain.UUIDString(), domain.ID()

    def wait_for_agent(self) -> None:
        end = time.monotonic() + 180
        while True:
            try:
                self.host.domain_agent(self.uuid(), {"execute": "guest-ping"}, 1)
                return
            except (AgentError, TransientError):
                assert time.monotonic() < end, "the guest did not boot"
                time.sleep(0.3)

    def wait_for_balloon(self) -> None:
        """Until the guest, which gives memory back bit by bit, has what is defined."""
        end = time.monotonic() + 60
        while True:
            info = self.host.domain_info(self.uuid())
            assert info is not None
            if ET.fromstring(info.live_xml).findtext("currentMemory") == ET.fromstring(info.xml).findtext("currentMemory"):
                return
            assert time.monotonic() < end, info.live_xml
            time.sleep(0.3)

    def same_in_both(self) -> None:
        """What runs is what is defined."""
        info = self.host.domain_info(self.uuid())
        assert info is not None
        runs, defined = ET.fromstring(info.live_xml), ET.fromstring(info.xml)
        for what in (_devices, _metadata, _limits, _sizes):
            assert what(runs) == what(defined), what.__name__


def _devices(root: ET.Element) -> set[tuple[str, str]]:
    return {(d.tag, a.get("name", "")) for d in root.findall("devices/*") if (a := d.find("alias")) is not None and a.get("name", "").startswith("ua-")}


def _metadata(root: ET.Element) -> list[tuple[str | None, str | None]]:
    return [(e.get("key"), e.text) for e in root.findall("metadata/*/{urn:stackengine:1}meta")]


def _limits(root: ET.Element) -> list[list[tuple[str, str | None]]]:
    return [sorted((e.tag, e.text) for e in d.findall("iotune/*") if (e.text or "0") != "0") for d in root.findall("devices/disk")]


def _sizes(root: ET.Element) -> list[Any]:
    vcpu = root.find("vcpu")
    assert vcpu is not None
    return [vcpu.get("current") or vcpu.text]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    made = Place(tmp_path_factory.mktemp("rules"))
    yield made
    made.libvirt.close()
    made.session.close()
    private.remove("rules", made.folder / "state")


def check(place: Place, case: Case, properties: dict[str, Any]) -> None:
    expected = case.effect or SERVER.effects[case.prop]
    if case.prop != "user_data":  # another property says how that is applied
        assert STRENGTH.index(expected) >= STRENGTH.index(SERVER.effects[case.prop])
    before = place.runs()
    said = place.up({**properties, case.prop: case.then})
    after = place.runs()
    did = "replace" if after[0] != before[0] else "reboot" if after[1] != before[1] else "live"
    assert (said[case.prop], did) == (expected, expected), f"{case.prop}: the plan said {said[case.prop]}, libvirt did {did}"
    place.same_in_both()
    assert stacks.preview(place.session, place.request({**properties, case.prop: case.then})).plan.empty


def test_every_property_is_here() -> None:
    assert {c.prop for c in (*BOOTED, *OTHERS)} | ELSEWHERE.keys() == SERVER.properties.keys()


def test_a_guest_that_has_booted_changes_live(place: Place) -> None:
    for case in BOOTED:
        properties = {**case.base, case.prop: case.first}
        place.up(properties)
        place.wait_for_agent()
        check(place, case, properties)
        if case.prop == "memory":
            place.wait_for_balloon()


@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_a_change_is_applied_as_its_rule_says(place: Place, case: Case) -> None:
    if NEEDS.get(case.prop, "") and NEEDS[case.prop] not in place.host.profile.features:
        pytest.skip(f"this host has no {NEEDS[case.prop]}")
    properties = {**case.base, case.prop: case.first}
    place.up(properties)
    check(place, case, properties)
