"""Servers as containers: what is written down, and what the plan refuses. The host's calls go to a memory host that has the profile of LXC."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.hosts.libvirt.drivers import lxc
from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.reach import Direct
from stackengine.sdk import UnsupportedError
from stackengine.testing import bench, contract, spelling

pytestmark = pytest.mark.thorough

TYPES = registry.load(entry_points=False)
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: 10.9.8.0/24}}
  vm: {type: 'SE::Server', properties: {image: tiny, flavor: tiny, networks: [{network: {get_resource: net}}], user_data: "#!/bin/sh"}}
"""
GOLDEN = Path(__file__).parents[3] / "resource_types" / "server" / "golden" / "lxc" / "container.xml"


class NoPools:
    """A connection to a host without pools."""

    def listAllStoragePools(self) -> list[object]:  # noqa: N802
        return []


def containers(folder: Path) -> MemoryHost:
    host = MemoryHost()
    reach = Direct(folder, "lxc:///system")
    host.profile = lxc.profile(NoPools(), reach)
    return host


def made(folder: Path, preset: dict[str, Any]) -> spelling.Recording:
    recording = spelling.Recording(containers(folder))
    template = folder / "stack.yaml"
    template.write_text(TEMPLATE)
    of = bench.Bench(TYPES.types["SE::Server"], TYPES, recording, template, preset)
    of.prepare()
    of.create()
    return recording


def test_a_container_is_written_down_as_libvirt_takes_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("lxml")
    host = made(tmp_path, {})
    for call, xml, schema in host.given:
        assert not spelling.misspelt(xml, schema), f"{call}: {xml}"
    check_file(GOLDEN, spelling.as_text([g for g in host.given if g[0] == "domain_define"]), update=request.config.getoption("--update-golden"))


def test_the_seed_is_an_archive(tmp_path: Path) -> None:
    host = made(tmp_path, {})
    name = next(v for v in host.volume_names("default") if v.endswith(".tar"))
    (tmp_path / "seed.tar").write_bytes(host.volume_download("default", name, 1 << 20))
    with tarfile.open(tmp_path / "seed.tar") as archive:
        assert set(archive.getnames()) == {"meta-data", "user-data", "network-config"}
        assert archive.extractfile("user-data").read() == b"#!/bin/sh"  # type: ignore[union-attr]


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", ["SE::Server", "SE::Image"])
def test_a_type_keeps_the_contract_with_what_containers_can_do(tmp_path: Path, name: str, check: contract.Check) -> None:
    if check is contract.crashed_anywhere_it_is_finished:
        pytest.skip("crashes are made on the whole memory host")
    try:
        check(contract.Subject(name, TYPES, lambda: containers(tmp_path)))
    except contract.Skipped as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("preset", "place"),
    [
        ({"firmware": "uefi"}, "firmware"),
        ({"disk": 3}, "disk"),
        ({"max_memory": 512}, "max_memory"),
        ({"power": "suspended"}, "power"),
        ({"vm_mode": "pv"}, "vm_mode"),
    ],
)
def test_what_a_container_has_not_is_refused_at_its_place(tmp_path: Path, preset: dict[str, Any], place: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"\.{place}: "):
        made(tmp_path, preset)
