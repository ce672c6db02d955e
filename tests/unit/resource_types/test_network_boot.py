"""Servers that boot from their network: what libvirt is told of order and DHCP, and what is refused before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from unit.service.house import House

NET = "net: {type: 'SE::Network', properties: {cidr: 10.8.0.0/24, boot_file: boot.ipxe%s}}\n"
DISK = "disk: {type: 'SE::Volume', properties: {size: 1}}\n"
WEB = "web: {type: 'SE::Server', properties: {memory: 128, networks: [{network: {get_resource: net}}]%s}}\n"
ON_DISK = ", volumes: [{volume: {get_resource: disk}, boot: true}]"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.session.close()


def order(house: House, view: str = "live_xml") -> dict[str, str]:
    """Tag of every device that is booted from -> where it stands."""
    info = house.host.domain_info(house.instances()["web"].physical_id)
    assert info is not None
    return {d.tag: b.get("order", "") for d in ET.fromstring(getattr(info, view)).findall("devices/*") if (b := d.find("boot")) is not None}


def refused(house: House, resources: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(resources)
    return [(d.code, d.summary) for d in caught.value.diagnostics.errors]


def test_the_first_interface_is_booted_from_before_the_disks_or_after_them(house: House) -> None:
    house.up(NET % "" + DISK + WEB % (ON_DISK + ", boot: network"))
    assert order(house) == {"interface": "1", "disk": "2"}
    changed = NET % "" + DISK + WEB % (ON_DISK + ", boot: network-last")
    assert [c.effect for a in house.plan(changed).plan.actions.values() for c in a.changes] == ["reboot"]
    house.up(changed)
    assert order(house) == order(house, "xml") == {"interface": "9", "disk": "1"}
    house.up(NET % "" + DISK + WEB % ON_DISK)
    assert order(house) == {"disk": "1"}


def test_it_needs_no_image_and_its_card_has_the_rom_that_asks(house: House) -> None:
    assert house.up(NET % "" + WEB % ", boot: network").status == "complete"
    info = house.host.domain_info(house.instances()["web"].physical_id)
    assert info is not None
    assert ET.fromstring(info.xml).find("devices/interface/rom") is None


def test_a_folder_of_the_host_is_given_where_its_owner_allows_it(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "stackengine").mkdir(parents=True)
    (tmp_path / "boot").mkdir()
    net = NET % f", tftp: {tmp_path}/boot"
    assert refused(house, net) == [("X105", f"net: no guest may get {tmp_path}/boot")]
    (tmp_path / "config" / "stackengine" / "owner.yaml").write_text(json.dumps({"allow": {"devices": [str(tmp_path / "boot")]}}))
    other = House(tmp_path)
    assert other.up(net).status == "complete"
    (found,) = other.host.network_list()
    address = ET.fromstring(found.xml).find("ip")
    assert address is not None
    assert [(e.tag, dict(e.attrib)) for e in address.iter() if e.tag in ("tftp", "bootp")] == [
        ("tftp", {"root": f"{tmp_path}/boot"}), ("bootp", {"file": "boot.ipxe"}),
    ]  # fmt: skip
    other.session.close()


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ("web: {type: 'SE::Server', properties: {boot: network, networks: []}}", "does not boot from one"),
        ("net: {type: 'SE::Network', properties: {cidr: 10.8.0.0/24, boot_server: 192.0.2.1}}", "goes with a file to boot"),
        (NET % ", boot_server: 192.0.2.1, tftp: /srv/boot", "not from both"),
        ("net: {type: 'SE::Network', properties: {mode: flat, bridge: br0, boot_file: x}}", "is not ours to define"),
    ],
)
def test_what_cannot_be_is_refused(house: House, resources: str, why: str) -> None:
    assert why in refused(house, resources)[0][1]


def test_a_kernel_of_the_host_boots_from_no_network(house: House) -> None:
    result = house.up(NET % "" + WEB % ", image: tiny, boot: network")
    assert result.status == "rolled_back"
    assert ["kernel" in f.message for f in result.failures] == [True]
