"""A snapshot of a real guest: what it wrote to its disk and held in memory is back after a restore, and the restored one goes on; then without memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
resources:
  volume: {type: SE::Volume, properties: {size: 1}}
  web: {type: SE::Server, properties: {image: tiny, memory: 128, volumes: [{volume: {get_resource: volume}}], ready: {gate: agent}}}
"""
DISK = "d=/dev/$(basename $(dirname $(grep -l se-volume /sys/class/block/*/serial)))"


def guest(state: Path, script: str) -> str:
    return run(state, "exec", "kept", "web", "--", "sh", "-c", script).strip()


def on_disk(state: Path) -> str:
    return guest(state, f"{DISK}; dd if=$d bs=4 count=1 2>/dev/null")


def write(state: Path, word: str) -> None:
    guest(state, f"{DISK}; printf {word} | dd of=$d bs=4 conv=notrunc,fsync 2>/dev/null; printf {word} > /tmp/word")


def test_a_guest_is_brought_back_to_its_snapshot_with_disk_and_memory(state: Path, tmp_path: Path) -> None:
    template = tmp_path / "kept.yaml"
    template.write_text(TEMPLATE)
    run(state, "up", str(template), "--host", "private://snapshots", "--yes")
    write(state, "good")
    made = json.loads(run(state, "snapshot", "kept", "--name", "good", "--json"))["snapshots"][0]
    assert made["servers"]["web"] == {"memory": True, "disks": made["servers"]["web"]["disks"]}
    assert len(made["servers"]["web"]["disks"]) == 1
    write(state, "evil")
    assert (on_disk(state), guest(state, "cat /tmp/word")) == ("evil", "evil")
    run(state, "restore", "kept", "good", "--yes")
    assert (on_disk(state), guest(state, "cat /tmp/word")) == ("good", "good")
    write(state, "more")
    run(state, "restore", "kept", "good", "--yes")
    assert on_disk(state) == "good"
    run(state, "drift", "kept")  # exit code 4 where there is any
    run(state, "snapshots", "kept", "--delete", "good")
    assert on_disk(state) == "good"  # its disk stands on what was frozen
    run(state, "down", "kept", "--yes")
    assert list((state / "cuts").iterdir()) == []
