"""Logical volumes of a real volume group (LVM): made, attached to a real guest that writes, copied, and gone with their stack.

Where the kernel here has no device-mapper, the test runs once more under one that has (:mod:`full_kernel`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import full_kernel
from command_line import run
from disks_of_guests import GIB, HEAD, attached, device, guest, inside, shown, volume
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [
    pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking)),
    pytest.mark.skipif(os.getuid() != 0 or shutil.which("lvcreate") is None, reason="only root makes volume groups, with lvm2"),
]  # fmt: skip

URI = "private://lvm"
DISK = os.environ.get("STACKENGINE_LVM_DISK", "")
"""A disk that becomes a volume group: what is on it is lost."""
MAPPED = "device-mapper" in Path("/proc/misc").read_text()
MODULES = ("dm_mod", "tun", "bridge", "vhost_vsock")
MINUTES = 30


def volumes() -> dict[str, int]:
    """Name -> bytes of what is in the volume group."""
    words = ["lvs", "--noheadings", "--units", "b", "--nosuffix", "-o", "lv_name,lv_size", "vg"]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(size) for name, size in map(str.split, lines)}


def beginning(name: str) -> bytes:
    with Path(f"/dev/vg/{name}").open("rb") as file:
        return file.read(9)


def up(state: Path, resources: str, code: int = 0) -> str:
    (state / "stack.yaml").write_text(HEAD + resources)
    return run(state, "up", str(state / "stack.yaml"), "--name", "lv", "--host", URI, "--yes", code=code, seconds=900)


@pytest.mark.skipif(not MAPPED or not DISK, reason="it wants a kernel with device-mapper, and a disk to use up (STACKENGINE_LVM_DISK)")
def test_volumes_in_a_volume_group(state: Path) -> None:
    subprocess.run(["vgcreate", "vg", DISK], check=True, capture_output=True)
    run(state, "hosts", "start", "lvm")
    run(state, "pools", "add", URI, "group", "logical", "name=vg")
    base = guest("web").replace("agent", "agent, timeout: 900") + volume("data", "size: 1, format: raw, pool: group") + attached("web", "data")
    assert "is raw" in up(state, base.replace("format: raw, ", ""), code=3)
    up(state, base)
    name = shown(state, "lv")["data"]["physical_id"]
    assert volumes() == {name: GIB}
    inside(state, "lv", "web", f"echo hello-lvm | dd of={device(state, 'lv', 'web', 'data')} conv=notrunc,fsync 2>/dev/null")
    assert beginning(name) == b"hello-lvm"
    up(state, base + volume("copy", "format: raw, pool: group, source: {get_resource: data}"))
    assert sorted(volumes().values()) == [GIB, GIB]
    assert beginning(shown(state, "lv")["copy"]["physical_id"]) == b"hello-lvm"
    run(state, "down", "lv", "--yes")
    assert volumes() == {}


@pytest.mark.skipif(MAPPED, reason="this kernel has device-mapper")
def test_the_same_under_a_kernel_that_has_device_mapper(tmp_path: Path) -> None:
    problem = full_kernel.lacking()
    if problem:
        pytest.skip(problem)
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(4 * GIB)
    here = Path(__file__)
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(here), "-k", "test_volumes_in_a_volume_group"]
    command = ["sh", "-c", f"cd {here.parents[2]} && exec env PATH={os.environ['PATH']} HOME=/root STACKENGINE_LVM_DISK=/dev/vda {' '.join(words)}"]
    code, said = full_kernel.run(command, MODULES, [disk], seconds=MINUTES * 60)
    print(said)
    assert (code, "1 passed" in said) == (0, True), said[-6000:]
