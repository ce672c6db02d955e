"""vSphere: the XML is spelt as libvirt's schema and its own tests spell it, and the plan says that nothing can be made there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.hosts import open_host
from stackengine.hosts.libvirt.drivers import esx
from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.reach import Direct
from stackengine.sdk import HostError, UnsupportedError
from stackengine.testing import bench, spelling

TYPES = registry.load(entry_points=False)
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: 10.9.8.0/24}}
  data: {type: 'SE::Volume', properties: {size: 1}}
  vm:
    type: SE::Server
    properties: {image: debian-12, flavor: tiny, power: stopped, networks: [{network: {get_resource: net}}], volumes: [{volume: {get_resource: data}}]}
"""
GOLDEN = Path(__file__).parents[3] / "resource_types" / "server" / "golden" / "esx" / "machine.xml"


def made(folder: Path, features: frozenset[str]) -> spelling.Recording:
    host = MemoryHost()
    host.profile = replace(esx.profile(None, Direct(folder, "esx://host/")), features=features)
    recording, template = spelling.Recording(host), folder / "stack.yaml"
    template.write_text(TEMPLATE)
    of = bench.Bench(TYPES.types["SE::Server"], TYPES, recording, template)
    of.prepare()
    of.create()
    return recording


def test_a_machine_is_written_down_as_libvirt_takes_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("lxml")
    host = made(tmp_path, esx.FEATURES | {"upload", "metadata"})  # as if it took uploads and kept metadata: only the spelling is looked at
    for call, xml, schema in host.given:
        assert not spelling.misspelt(xml, schema), f"{call}: {xml}"
    check_file(GOLDEN, spelling.as_text([g for g in host.given if g[0] == "domain_define"]), update=request.config.getoption("--update-golden"))


def test_the_plan_says_that_nothing_can_be_made_there(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"vm\.user_data: this host takes no uploads"):
        made(tmp_path, esx.FEATURES)


@pytest.mark.parametrize("uri", ["uml:///system", "xenapi://pool/", "xapi+ssh://pool/"])
def test_hosts_that_libvirt_does_not_have_any_more_are_refused_with_what_took_their_place(tmp_path: Path, uri: str) -> None:
    with pytest.raises(HostError, match="no driver") as refused:
        open_host(uri, tmp_path)
    assert refused.value.hint
