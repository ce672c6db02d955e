"""The XML of servers that no host here could run, or that no example needs: valid under libvirt's own schemas, and with what was asked for in it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine import service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import stacks
from stackengine.service.types import Request, Settings
from stackengine.testing import spelling

pytestmark = pytest.mark.thorough

HEAD = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: 10.91.0.0/24}}
  server:
    type: SE::Server
    properties:
      networks: [{network: {get_resource: net}}]
"""
IGNITION = '{"ignition": {"version": "3.4.0"}}'
CASES = {
    "aarch64": ("image: https://images.example/arm.qcow2, arch: aarch64", ["os/type[@arch='aarch64'][@machine='virt']"]),
    "aarch64-uefi": ("image: https://images.example/arm.qcow2, arch: aarch64, tpm: true", ["devices/tpm[@model='tpm-tis']", "features/acpi"]),
    "aarch64-kernel": ("image: tiny, arch: aarch64, cdrom: https://images.example/tools.iso", ["devices/disk[@device='cdrom']/target[@bus='scsi']"]),
    "pci": ("image: tiny, pci: ['0000:03:00.1']", ["devices/hostdev/source/address[@function='0x1']"]),
    "virtiofs": ("image: tiny, shares: [{path: /srv/share, tag: a}]", ["devices/filesystem/driver[@type='virtiofs']", "memoryBacking/access[@mode='shared']"]),
    "9p": ("image: tiny, shares: [{path: /srv/share/below, tag: a, kind: 9p, read_only: true}]", ["devices/filesystem[@accessmode='mapped']/readonly"]),
    "ignition": (f"image: tiny, user_data: '{IGNITION}'", ["sysinfo/entry[@name='opt/com.coreos/config']"]),
    "config-drive": ("image: tiny, seed: config-drive", ["devices/disk/alias[@name='ua-seed']"]),
    "screen": ("image: tiny, vnc: {}", ["devices/graphics[@passwd='']"]),
}


@pytest.fixture(autouse=True)
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's owner lets guests have one device and one folder."""
    (tmp_path / "config" / "stackengine").mkdir(parents=True)
    (tmp_path / "config" / "stackengine" / "owner.yaml").write_text(json.dumps({"allow": {"devices": ["0000:03:00.1", "/srv/share"]}}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def defined(folder: Path, properties: str) -> str:
    """The domain's XML of a server with these properties."""
    (folder / "stack.yaml").write_text(HEAD + "".join(f"      {p}\n" for p in split(properties)))
    with service.open(Settings(state=str(folder / "state"), host="memory://")) as session:
        result = stacks.carry_out(session, stacks.preview(session, Request("s", folder / "stack.yaml")))
        assert result.status == "complete", result.failures
        return str(session.host("memory://").domain_list()[0].xml)


def split(text: str) -> list[str]:
    """``a: 1, b: [2, 3]`` at its outer commas."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [f.strip() for f in found]


@pytest.mark.parametrize("case", CASES)
def test_what_was_asked_for_is_in_it_and_it_is_valid(tmp_path: Path, case: str) -> None:
    properties, places = CASES[case]
    xml = defined(tmp_path, properties)
    for place in places:
        assert ET.fromstring(xml).find(place) is not None, f"{place} is not in\n{xml}"
    pytest.importorskip("lxml")
    try:
        assert spelling.misspelt(xml, "domain") == []
    except FileNotFoundError as missing:
        pytest.skip(f"{missing} is not installed (libvirt-clients)")


@pytest.mark.parametrize("properties", [
    "image: tiny, pci: ['0000:04:00.0']", "image: tiny, shares: [{path: /srv/other, tag: a}]", "image: tiny, shares: [{path: /srv/share/../other, tag: a}]",
])  # fmt: skip
def test_what_the_owner_did_not_allow_no_guest_gets(tmp_path: Path, properties: str) -> None:
    with pytest.raises(InvalidTemplateError) as refused:
        defined(tmp_path, properties)
    assert [d.code for d in refused.value.diagnostics.errors] == ["X105"]


def test_a_link_out_of_an_allowed_folder_is_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "out").symlink_to("/etc")
    (tmp_path / "config" / "stackengine" / "owner.yaml").write_text(json.dumps({"allow": {"devices": [str(tmp_path / "given")]}}))
    assert "filesystem" in defined(tmp_path, f"image: tiny, shares: [{{path: {tmp_path / 'given'}, tag: a}}]")
    with pytest.raises(InvalidTemplateError):
        defined(tmp_path, f"image: tiny, shares: [{{path: {tmp_path / 'given' / 'out'}, tag: a}}]")
