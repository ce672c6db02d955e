"""A stack of the gallery on real Xen: up, a page, a volume that grows, an update that fails and is rolled back, down, and nothing left."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from command_line import run
from stackengine.service.templates import gallery
from tools.xen.host import XenHost

pytestmark = pytest.mark.xen


def page(url: str) -> str:
    """The page; each look is a connection of its own through dom0, which answers slowly when it has much to do."""
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > end:
                raise


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
    assert "row 1" in page(url)
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


@pytest.mark.parametrize("mode", ["pv", "pvh", "hvm"])
def test_a_guest_of_every_kind_boots_and_says_what_it_is(xen: XenHost, state: Path, mode: str) -> None:
    template = state / "kind.yaml"
    template.write_text(KIND.replace("MODE", mode))
    run(state, "up", str(template), "--name", "kind", "--host", xen.uri, "--yes")
    said = run(state, "events", "kind", "--json")
    assert {"pv": "PV", "pvh": "PVH", "hvm": "HVM"}[mode] in said
    run(state, "down", "kind", "--yes")
    assert left(xen) == []
