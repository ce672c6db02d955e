"""A volume that a running guest writes to grows in an update that fails: the rollback gives it back its size and what it held."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  size: {type: number, default: 1}
  breaks: {type: boolean, default: false}
conditions: {breaks: {get_param: breaks}}
resources:
  data: {type: SE::Volume, properties: {size: {get_param: size}}}
  web:
    type: SE::Server
    properties: {image: tiny, memory: 160, volumes: [{volume: {get_resource: data}}], ready: {gate: cloud-init}, shutdown_timeout: 20}
  handle: {type: SE::WaitConditionHandle, condition: breaks}
  never: {type: SE::WaitCondition, condition: breaks, depends_on: [data, web], properties: {handle: {get_resource: handle}, timeout: 1}}
"""
DISK = 'd=$(for b in /sys/block/vd*; do [ "$(cat $b/serial)" = se-data ] && basename $b; done); '
STACK, HOST = "disks", "disks"


def up(state: Path, *words: str, code: int = 0) -> str:
    file = state / "stack.yaml"
    file.write_text(TEMPLATE)
    return run(state, "up", str(file), "--name", STACK, "--host", f"private://{HOST}", "--yes", "--plain", *words, code=code)


def inside(state: Path, script: str) -> str:
    """What a shell in the guest says, as soon as its agent answers."""
    end = time.monotonic() + 120
    while True:
        try:
            return run(state, "exec", STACK, "web", "--", "sh", "-c", DISK + script).strip()
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def seen(state: Path) -> tuple[str, str]:
    """Sectors of the volume, and the word at its beginning, as the guest sees them."""
    return inside(state, "cat /sys/block/$d/size"), inside(state, "dd if=/dev/$d bs=16 count=1 iflag=direct 2>/dev/null || head -c 16 /dev/$d").rstrip("\0")


def write(state: Path, word: str) -> None:
    inside(state, f"printf {word} >/dev/$d; sync")


def volumes(state: Path) -> list[str]:
    connection = libvirt.open(private.find(HOST, state).libvirt_uri)
    try:
        return sorted(v.name() for v in connection.storagePoolLookupByName("default").listAllVolumes())
    finally:
        connection.close()


def test_size_and_content_are_as_they_were(state: Path) -> None:
    up(state)
    write(state, "before")
    ids = {r["path"]: r["physical_id"] for r in json.loads(run(state, "show", STACK, "--json"))["resources"]}
    names = volumes(state)

    up(state, "--param", "size=3", "--param", "breaks=true", "--on-failure", "keep", code=1)
    assert seen(state) == (str(3 << 21), "before"), "it grew under the running guest"
    write(state, "after-")
    run(state, "rollback", STACK, "--yes", "--plain")
    assert seen(state) == (str(1 << 21), "before")

    up(state, "--param", "size=2", "--param", "breaks=true", code=1)
    assert seen(state) == (str(1 << 21), "before"), "the rollback of a failed update does the same by itself"
    assert {r["path"]: r["physical_id"] for r in json.loads(run(state, "show", STACK, "--json"))["resources"]} == ids
    assert volumes(state) == names, "no copy is left"

    up(state, "--param", "size=2")
    assert seen(state) == (str(2 << 21), "before"), "and an update that ends well keeps it"
    assert volumes(state) == names
    run(state, "down", STACK, "--yes")
    assert volumes(state) == []
