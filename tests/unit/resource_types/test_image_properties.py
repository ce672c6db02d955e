"""What an image says of the machine that it wants: servers take it up where they and their flavors say nothing, and what has no effect is told."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine import service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import stacks
from stackengine.service.types import Request, Settings

pytestmark = pytest.mark.thorough


def up(folder: Path, said: dict[str, object], **server: object) -> tuple[ET.Element, dict[str, str], list[str]]:
    """(domain, verbs by path and generation, notices)."""
    image = {"location": "https://images.example/old.qcow2", "container_format": "bare", "disk_format": "qcow2", "extra_properties": said}
    resources = {
        "image": {"type": "OS::Glance::WebImage", "properties": image},
        "server": {"type": "OS::Nova::Server", "properties": {"image": {"get_resource": "image"}, "flavor": "m1.nano", "vnc": {}, **server}},
    }
    (folder / "stack.yaml").write_text(json.dumps({"heat_template_version": "2018-08-31", "resources": resources}))
    with service.open(Settings(state=str(folder / "state"), host="memory://")) as session:
        preview = stacks.preview(session, Request("s", folder / "stack.yaml"))
        result = stacks.carry_out(session, preview)
        assert result.status == "complete", result.failures
        verbs: dict[str, str] = {f"{a.path}@{a.instance.generation}": a.verb for a in preview.plan.actions.values()}
        return ET.fromstring(session.host("memory://").domain_list()[0].xml), verbs, [d.summary for d in preview.diagnostics.items]


OLD = {"hw_disk_bus": "sata", "hw_vif_model": "e1000", "hw_machine_type": "pc", "hw_video_model": "vga", "hw_watchdog_action": "reset", "os_distro": "old"}


def test_a_server_is_the_machine_that_its_image_wants(tmp_path: Path) -> None:
    domain, _, notices = up(tmp_path, {**OLD, "hw_rng_model": "virtio", "hw_serial_port_count": 2})
    assert domain.find("os/type[@machine='pc']") is not None
    assert [c.get("model") for c in domain.findall("devices/controller[@type='pci']")] == ["pci-root"]
    assert domain.find("devices/disk/target[@bus='sata'][@dev='sda']") is not None
    assert domain.find("devices/interface/model[@type='e1000']") is not None
    assert domain.find("devices/video/model[@type='vga']") is not None
    assert domain.find("devices/watchdog[@action='reset']") is not None
    assert [n for n in notices if "no effect here" in n] == ["image.extra_properties: hw_serial_port_count: no effect here"]


def test_what_the_server_says_itself_counts_and_other_words_of_the_image_make_another_server(tmp_path: Path) -> None:
    first, _, _ = up(tmp_path, {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi"}, root_disk={"bus": "virtio"}, nic_model="e1000e")
    assert first.find("devices/disk/target[@bus='virtio'][@dev='vda']") is not None
    assert first.find("devices/interface/model[@type='e1000e']") is not None
    assert first.find("os[@firmware='efi']") is not None
    same = up(tmp_path, {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi", "os_distro": "x"}, root_disk={"bus": "virtio"}, nic_model="e1000e")[1]
    assert same == {"image@1": "update"}
    assert up(tmp_path, {"hw_disk_bus": "scsi"}, root_disk={"bus": "virtio"}, nic_model="e1000e")[1]["server@2"] == "create"


def test_machines_that_do_not_go_with_the_rest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTemplateError, match="no secure boot"):
        up(tmp_path, {"hw_machine_type": "pc", "os_secure_boot": "required"})
    with pytest.raises(InvalidTemplateError, match="no machine of the guest's architecture"):
        up(tmp_path, {"hw_machine_type": "virt"})
    with pytest.raises(InvalidTemplateError, match="3 cores × 1 threads are not 1 vCPUs"):
        up(tmp_path, {"hw_cpu_cores": 3})
