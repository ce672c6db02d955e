"""Servers on a Xen host: what is written down, and what the plan refuses. The host's calls go to a memory host that has Xen's profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.hosts.libvirt.drivers import xen
from stackengine.hosts.memory import MemoryHost
from stackengine.sdk import Profile, UnsupportedError
from stackengine.testing import bench, contract, spelling

TYPES = registry.load(entry_points=False)
PROFILE = Profile("xen", "xen", features=xen.FEATURES | {"pv", "pvh", "hvm", "publish"}, undefine_flags=1, local=False, disk_bus="xen", disk_prefix="xvd")
PLAIN = ("SE::Server", "SE::Volume", "SE::VolumeAttachment", "SE::Network", "SE::Image", "SE::WaitConditionHandle")
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: 10.9.8.0/24}}
  vm: {type: 'SE::Server', properties: {image: IMAGE, flavor: tiny, networks: [{network: {get_resource: net}}]}}
"""
KINDS = {"pv": ("tiny", {}), "pvh": ("tiny", {"vm_mode": "pvh"}), "hvm": ("debian-12", {})}
GOLDEN = Path(__file__).parents[3] / "resource_types" / "server" / "golden" / "xen"


def xen_host() -> MemoryHost:
    host = MemoryHost()
    host.profile = PROFILE
    return host


def made(folder: Path, preset: dict[str, Any], image: str = "tiny", host: MemoryHost | None = None) -> spelling.Recording:
    recording = spelling.Recording(host or xen_host())
    template = folder / "stack.yaml"
    template.write_text(TEMPLATE.replace("IMAGE", image))
    of = bench.Bench(TYPES.types["SE::Server"], TYPES, recording, template, preset)
    of.prepare()
    of.create()
    return recording


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_is_written_down_as_xen_takes_it(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("lxml")
    image, preset = KINDS[kind]
    host = made(tmp_path, preset, image)
    for call, xml, schema in host.given:
        assert not spelling.misspelt(xml, schema), f"{call}: {xml}"
    domains = [g for g in host.given if g[0] == "domain_define"]
    check_file(GOLDEN / f"{kind}.xml", spelling.as_text(domains), update=request.config.getoption("--update-golden"))


def test_nothing_that_xen_does_not_know_is_in_it(tmp_path: Path) -> None:
    host = made(tmp_path, {})
    root = ET.fromstring(next(xml for call, xml, _ in host.given if call == "domain_define"))
    assert root.get("type") == "xen"
    assert {t.get("bus") for t in root.findall("devices/disk/target")} == {"xen"}
    assert all(t.get("dev", "").startswith("xvd") for t in root.findall("devices/disk/target"))
    assert not root.findall("devices/channel") + root.findall("devices/rng") + root.findall("devices/memballoon") + root.findall("devices/controller")
    assert "console=hvc0" in (root.findtext("os/cmdline") or "")


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", PLAIN)
def test_a_type_keeps_the_contract_with_what_xen_can_do(name: str, check: contract.Check) -> None:
    if check is contract.crashed_anywhere_it_is_finished:
        pytest.skip("crashes are made on the whole memory host")
    try:
        check(contract.Subject(name, TYPES, xen_host))
    except contract.Skipped as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("preset", "place"),
    [
        ({"tpm": True}, "tpm"),
        ({"cpu": {"mode": "host-passthrough"}}, "cpu"),
        ({"watchdog": "reset"}, "watchdog"),
        ({"vnc": {"password": "secret"}}, "vnc"),
        ({"root_disk": {"limits": {"total_iops": 10}}}, "root_disk"),
        ({"ready": {"gate": "agent"}}, "ready"),
    ],
)
def test_what_xen_would_ignore_is_refused_at_its_place(tmp_path: Path, preset: dict[str, Any], place: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"\.{place}: "):
        made(tmp_path, preset)


@pytest.mark.parametrize("disk", ["size: 1, encrypted: true, passphrase: x y z", "at: 'nbd://127.0.0.1/data'"])
def test_a_disk_that_only_guests_of_qemu_can_have_is_refused(tmp_path: Path, disk: str) -> None:
    template = tmp_path / "disk.yaml"
    template.write_text(f"heat_template_version: 2018-08-31\nresources:\n  data: {{type: 'SE::Volume', properties: {{{disk}}}}}\n")
    with pytest.raises(UnsupportedError, match="guests of this host"):
        bench.Bench(TYPES.types["SE::Volume"], TYPES, xen_host(), template)


def test_a_kind_of_guest_that_the_processor_cannot_run_is_refused(tmp_path: Path) -> None:
    host = xen_host()
    host.profile = Profile("xen", "xen", features=xen.FEATURES | {"pv"}, disk_bus="xen", disk_prefix="xvd")
    with pytest.raises(UnsupportedError, match="no guests of the kind pvh"):
        made(tmp_path, {"vm_mode": "pvh"}, host=host)


GROWING = """heat_template_version: 2018-08-31
resources:
  data: {type: 'SE::Volume', properties: {size: 1}}
  vm: {type: 'SE::Server', properties: {image: tiny, flavor: tiny, networks: []}}
  attachment: {type: 'SE::VolumeAttachment', properties: {server: {get_resource: vm}, volume: {get_resource: data}}}
"""


def test_a_disk_that_is_in_use_grows_by_a_restart_of_its_server(tmp_path: Path) -> None:
    host, template = xen_host(), tmp_path / "stack.yaml"
    template.write_text(GROWING)
    of = bench.Bench(TYPES.types["SE::Volume"], TYPES, host, template)
    for action in of.plan.actions.values():
        of.run(action)
    action = of.change("size", 2)
    assert (action.verb, action.effect) == ("update", "reboot")
    stops: list[str] = []
    stop = host.domain_shutdown
    host.domain_shutdown = lambda uuid, *more: (stops.append(uuid), stop(uuid, *more))  # type: ignore[assignment]
    of.run(action)
    server = next(d for d in host.domain_list())
    assert stops == [server.uuid]
    assert server.state == "running"
    assert next(v for v in host.volume_list("default") if v.name.endswith(".qcow2")).capacity == 2 << 30
