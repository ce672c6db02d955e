"""A stack of the gallery on real Xen: up, a page, a volume that grows, an update that fails and is rolled back, down, and nothing left."""

from __future__ import annotations

import functools
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import command_line
from stackengine.service.templates import gallery
from tools.xen.host import XenHost

pytestmark = pytest.mark.xen
run = functools.partial(command_line.run, seconds=1800)
"""Each of these commands may take long: of a machine that others use, the emulated host gets a part."""


def page(url: str, with_text: str = "") -> str:
    """The page; each look is a connection of its own through dom0, which answers slowly when it has much to do, as a guest does that starts anew."""
    end = time.monotonic() + 240
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                found = str(answer.read().decode())
            if with_text in found or time.monotonic() > end:
                return found
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(1)


def objects(state: Path, name: str) -> dict[str, Any]:
    return {r["path"]: r["physical_id"] for r in json.loads(run(state, "show", name, "--json"))["resources"]}


def left(xen: XenHost) -> list[str]:
    """What of ours is on the host: domains, networks, volumes (the layers are the host's own and stay)."""
    found = xen.run("virsh -q -c xen:///system list --all --name; virsh -q -c xen:///system net-list --all --name; ls /var/lib/libvirt/images")
    return [name for name in found.split() if name.startswith("se-")]


def test_three_tiers_live_their_life_on_xen(xen: XenHost, state: Path) -> None:
    def up(example: str, *more: str, code: int = 0) -> str:
        template = gallery()[example] / "hot" / "stack.yaml"
        words = ("up", str(template), "--name", "tiers", "--host", xen.uri, "--yes", "--allow", "replace")
        return run(state, *words, *more, code=code)

    # dom0 is emulated: two starts at once can take longer than the 40 s that libxl gives the script of a network card
    run(state, "hosts", "add", xen.uri, "--limit", "guest-start=1", "--limit", "image-copy=1")
    up("three-tier")
    url, before = run(state, "outputs", "tiers", "url").strip(), objects(state, "tiers")
    pages = [page(url) for _ in range(4)]
    assert {p.splitlines()[1] for p in pages} == {"served by web1", "served by web2"}
    assert all(p.splitlines()[2].startswith("database: row 1") for p in pages)
    assert "tiny[" in run(state, "logs", "tiers", "db")

    planned = run(state, "plan", str(gallery()["three-tier"] / "hot" / "stack.yaml"), "--name", "tiers", "--host", xen.uri, "--param", "data_size=2")
    assert "reboot" in planned, "Xen's disks do not grow while they are in use: the plan says so"
    up("three-tier", "--param", "data_size=2")
    assert objects(state, "tiers") == before
    assert "row 1" in page(url, "row 1"), "the database's server starts anew, with what its volume held"
    assert "2097152" in run(state, "ssh", "tiers", "db", "--", "cat /proc/partitions")

    up("autofail", "--param", "data_size=2", code=1)
    assert objects(state, "tiers") == before
    assert page(url).splitlines()[0] == pages[0].splitlines()[0]

    run(state, "down", "tiers", "--yes")
    assert left(xen) == []


def test_what_xen_would_ignore_is_refused_in_the_plan(xen: XenHost, state: Path) -> None:
    template = state / "guarded.yaml"
    template.write_text(
        "heat_template_version: 2018-08-31\nresources:\n  group: {type: 'SE::SecurityGroup', properties: {rules: []}}\n"
        "  vm: {type: 'SE::Server', properties: {image: tiny, tpm: true, security_groups: [{get_resource: group}]}}\n"
    )
    said = run(state, "plan", str(template), "--name", "guarded", "--host", xen.uri, code=3)
    assert said.count("K101") >= 3
    assert "enforces none" in said
    assert "guarded.yaml:4" in said


KIND = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {mode: open, cidr: auto}}
  started: {type: 'SE::WaitConditionHandle'}
  vm:
    type: SE::Server
    properties:
      image: tiny
      memory: 160
      vm_mode: MODE
      networks: [{network: {get_resource: net}}]
      ready: {gate: signal, handle: {get_resource: started}, timeout: 300}
      user_data:
        str_replace:
          template: |
            #!/bin/sh
            $signal SUCCESS "$(cat /sys/hypervisor/guest_type)"
          params: {$signal: {get_attr: [started, signal]}}
"""


@pytest.mark.parametrize("mode", ["pv", "pvh"])
def test_a_guest_of_every_kind_boots_and_says_what_it_is(xen: XenHost, state: Path, mode: str) -> None:
    template = state / "kind.yaml"
    template.write_text(KIND.replace("MODE", mode))
    run(state, "up", str(template), "--name", "kind", "--host", xen.uri, "--yes")
    said = run(state, "events", "kind", "--json")
    assert {"pv": "PV", "pvh": "PVH"}[mode] in said
    run(state, "down", "kind", "--yes")
    assert left(xen) == []


SPEAKS = "31c08ed8fbbe267cac84c0741188c4bafd03eca82074fb88e0b2f8eeebeab90300f4e2fdebda"
"""A boot sector in real mode: writes the text that stands behind it to COM1, waits three ticks of the BIOS clock (0.16 s), and begins again."""
WHOLE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {mode: open, cidr: auto}}
  vm: {type: 'SE::Server', properties: {image: IMAGE, memory: 64, vm_mode: hvm, networks: [{network: {get_resource: net}}]}}
"""


def test_a_whole_machine_boots_the_disk_of_its_image(xen: XenHost, state: Path) -> None:
    """Of a disk as small as can be: the firmware reads byte by byte, through a device model in an emulated dom0, and a kernel is long in coming."""
    disk = state / "speaks.img"
    sector = (bytes.fromhex(SPEAKS) + b"\r\na boot sector speaks\r\n\0").ljust(510, b"\0") + b"\x55\xaa"
    disk.write_bytes(sector.ljust(1 << 20, b"\0"))
    template = state / "whole.yaml"
    template.write_text(WHOLE.replace("IMAGE", str(disk)))
    run(state, "up", str(template), "--name", "whole", "--host", xen.uri, "--yes")
    end = time.monotonic() + 300
    while "a boot sector speaks" not in (said := run(state, "logs", "whole", "vm")):
        assert time.monotonic() < end, said
    run(state, "down", "whole", "--yes")
    assert left(xen) == []
