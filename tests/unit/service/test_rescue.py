"""A server runs from a rescue image, its own disks behind, and goes back to them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine.service.rescue import preview_rescue, preview_unrescue
from stackengine.service.stacks import carry_out, preview_rollback
from stackengine.service.types import ServiceError
from unit.service.house import STACK, House

SERVER = """
net: {type: 'SE::Network', properties: {cidr: 10.9.0.0/24}}
data: {type: 'SE::Volume', properties: {size: 1}}
web:
  type: SE::Server
  properties:
    image: debian-12
    networks: [{network: {get_resource: net}}]
    volumes: [{volume: {get_resource: data}}]
    user_data: "#!/bin/sh\\n# SUCCESS http://signal.stackengine.internal:9117/v1/signal/h/t"
    ready: {gate: agent}
"""


def disks(house: House) -> dict[str, tuple[str, str]]:
    """Alias -> (boot order, name of the file) of the server's disks, and its kernel."""
    root = ET.fromstring(house.host.domain_list()[0].xml)
    found = {}
    for disk in root.findall("devices/disk"):
        alias, boot, source = disk.find("alias"), disk.find("boot"), disk.find("source")
        assert alias is not None
        assert source is not None
        found[alias.get("name", "")] = (boot.get("order", "") if boot is not None else "", source.get("file", "").rpartition("/")[2])
    return {**found, "kernel": ("", (root.findtext("os/kernel") or "").rpartition(".")[2])}


def rescue(house: House, *image: str) -> None:
    assert carry_out(house.session, preview_rescue(house.session, STACK, "web", *image)).status == "complete"


def unrescue(house: House) -> None:
    assert carry_out(house.session, preview_unrescue(house.session, STACK, "web")).status == "complete"


def test_a_rescued_server_keeps_its_disks_and_gets_another_system(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(SERVER)
    before, volumes, said = disks(house), house.volumes(), len(house.host.simulated_signals(0))
    rescue(house)
    now = disks(house)
    assert (now["ua-root"], now["kernel"]) == (("", before["ua-root"][1]), ("", "kernel"))
    assert now["ua-seed"] != before["ua-seed"]
    assert len(house.host.simulated_signals(0)) == said, "its user data is not run by the rescue system"
    assert house.volumes() == volumes
    unrescue(house)
    assert disks(house) == before
    assert set(house.instances()) == {"net", "data", "web", "image:debian-12"}, "the rescue image is no part of the stack any more"


def test_a_rescue_image_with_a_disk_of_its_own_boots_from_that_and_goes_with_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(SERVER)
    before, volumes = disks(house), house.volumes()
    rescue(house, "debian-13")
    assert (disks(house)["ua-rescue"][0], disks(house)["ua-root"][0]) == ("1", "")
    assert len(house.volumes() - volumes) == 1
    with pytest.raises(ServiceError, match="already"):
        preview_rescue(house.session, STACK, "web")
    assert carry_out(house.session, preview_rollback(house.session, STACK)).status == "complete"
    assert (disks(house), house.volumes()) == (before, volumes)
    rescue(house, "debian-13")
    house.up(SERVER)
    assert (disks(house), house.volumes()) == (before, volumes)
    rescue(house, "debian-13")
    assert house.down().status == "complete"
    assert not house.volumes()


def test_a_server_is_rescued_from_anywhere_whatever_folder_its_image_came_from(tmp_path: Path) -> None:
    house = House(tmp_path)
    (house.folder / "disk.raw").write_bytes(bytes(1 << 20))
    house.up(SERVER.replace("debian-12", "./disk.raw"))
    assert not Path.cwd().is_relative_to(house.folder)
    rescue(house)
    assert disks(house)["kernel"] == ("", "kernel")


def test_who_cannot_be_rescued_is_told_why(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(SERVER)
    with pytest.raises(ServiceError, match="no server net"):
        preview_rescue(house.session, STACK, "net")
    with pytest.raises(ServiceError, match="its own disks"):
        preview_unrescue(house.session, STACK, "web")
