"""A template made of what a host runs can be imported at once; afterwards nothing is left to do, and nothing was lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine.sdk import volume_xml
from unit.service.house import House, run

pytestmark = pytest.mark.thorough

GIB = 1 << 30
NETWORK = """<network><name>lan</name><uuid>22222222-2222-4222-8222-222222222222</uuid><forward mode='nat'/><bridge name='br9'/>
<domain name='home'/><dns><host ip='10.9.0.2'><hostname>printer</hostname></host></dns><ip address='10.9.0.1' netmask='255.255.255.0'>
<dhcp><range start='10.9.0.50' end='10.9.0.99'/><host mac='52:54:00:aa:bb:cc' name='printer' ip='10.9.0.2'/></dhcp></ip></network>"""
DOMAIN = """<domain type='qemu'><name>%(name)s</name><uuid>%(uuid)s</uuid><memory unit='MiB'>256</memory><currentMemory unit='MiB'>128</currentMemory>
<vcpu>2</vcpu><os><type>hvm</type></os><devices><sound model='ich9'/>
<disk type='file' device='disk'><source file='%(disk)s'/><target dev='vda' bus='virtio'/></disk>
<interface type='%(kind)s'><mac address='52:54:00:00:00:0%(n)d'/><source network='lan'/></interface></devices></domain>"""


def domain(house: House, name: str, n: int, kind: str = "network") -> None:
    disk = house.host.volume_create("default", volume_xml(f"{name}.qcow2", 3 * GIB + 512, "qcow2")).path
    uuid = f"11111111-1111-4111-8111-11111111111{n}"
    house.host.domain_define(DOMAIN % {"name": name, "uuid": uuid, "disk": disk, "kind": kind, "n": n})
    house.host.domain_start(uuid)


@pytest.fixture
def lived_in(house: House) -> House:
    """A house with a network, a web server on it and its disk; and a router that no template can say."""
    house.host.network_define(NETWORK)
    house.host.network_start("22222222-2222-4222-8222-222222222222")
    domain(house, "web-1", 1)
    domain(house, "router", 2, kind="direct")
    return house


@pytest.mark.parametrize("language", ["hot", "cfn", "tosca"])
def test_it_is_imported_at_once_and_then_there_is_nothing_to_do(lived_in: House, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    file, host = lived_in.folder / "made.yaml", lived_in.host
    before = lived_in.domains()
    (made,) = run(lived_in, capsys, "import", "--write-template", "--to", language, "--host", "memory://", "-o", str(file))
    assert [i["id"] for i in made["imports"]] == ["lan", "web-1.qcow2", "web-1"]
    assert [(e["id"], "kind direct" in e["why"]) for e in made["external"]] == [("router", True)]
    words = [word for i in made["imports"] for word in (i["path"], i["id"])]
    found = run(lived_in, capsys, "import", str(file), *words, "--name", "shop", "--host", "memory://", "--yes")
    assert found[-1]["status"] == "complete"
    assert {a["verb"] for a in found[0]["actions"]} == {"update", "read"}
    assert run(lived_in, capsys, "plan", str(file), "--name", "shop", "--host", "memory://")[0]["actions"] == []
    assert run(lived_in, capsys, "drift", "shop")[0]["differences"] == []
    assert lived_in.domains() == before
    assert not {"domain_destroy", "domain_reboot", "network_destroy", "volume_resize"} & host.faults.counts.keys()
    network = host.network_info("22222222-2222-4222-8222-222222222222")
    assert network is not None
    assert all(text in network.xml for text in ("52:54:00:aa:bb:cc", "printer", "urn:stackengine:1", "52:54:00:00:00:01"))


def test_what_is_named_is_written_with_what_it_uses(lived_in: House, capsys: pytest.CaptureFixture[str]) -> None:
    (made,) = run(lived_in, capsys, "import", "--write-template", "web-1.qcow2", "--host", "memory://")
    assert [i["path"] for i in made["imports"]] == ["web_1"]
    run(lived_in, capsys, "import", "--write-template", "nobody", "--host", "memory://", code=2)


def test_a_host_without_anything_is_said(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    run(house, capsys, "import", "--write-template", "--host", "memory://", code=2)


@pytest.mark.parametrize("words", [["--write-template", "--host", "memory://", "--", "x"], ["x.yaml"], ["x.yaml", "web"], []])
def test_wrong_use_is_said(house: House, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from stackengine.cli.main import main

    try:
        code = main(["import", *words, "--state", str(tmp_path)])
    except SystemExit as error:
        code = error.code  # type: ignore[assignment]
    assert code == 2
