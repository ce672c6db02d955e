"""Logical volumes of a real volume group (LVM): made of an image, booted from and written by a guest, plugged in, copied, and gone with their stack.

Where nobody names a disk that it may use up, the test runs under a kernel that has device-mapper (:mod:`full_kernel`). A guest in that machine is
emulated by what is itself emulated, and Linux does not come up in it within a quarter of an hour: the guest is a boot sector, whose firmware takes seconds.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import full_kernel
from command_line import run
from disks_of_guests import GIB, HEAD, attached, shown, volume
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [
    pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking)),
    pytest.mark.skipif(os.getuid() != 0 or shutil.which("lvcreate") is None, reason="only root makes volume groups, with lvm2"),
]  # fmt: skip

URI = "private://lvm"
WRITER = bytes.fromhex(
    "31c0 8ed8 8ed0 bc007c"  # segments 0, stack below
    "be147c b80043 cd13 f4 ebfd"  # int 0x13, 43h: write what "packet" says to the disk that it booted from; stop
    "1000 0100 247c 0000 0100000000000000"  # packet: 1 sector, from the text below, to sector 1
) + b"hello-lvm"  # fmt: skip
"""A boot sector that writes a word to the second sector of its disk, by the firmware (which knows no disks that it may not boot from)."""
SERVER = "  web: {type: 'SE::Server', properties: {memory: 64, shutdown_timeout: 0, volumes: [{volume: {get_resource: root}, boot: true}]}}\n"
DISK = os.environ.get("STACKENGINE_LVM_DISK", "")
"""A disk that becomes a volume group: what is on it is lost."""
MAPPED = "device-mapper" in Path("/proc/misc").read_text()
MODULES = ("dm_mod", "tun", "bridge", "vhost_vsock")
MINUTES = 30
NO_UDEV = "activation { udev_sync = 0 udev_rules = 0 }"
"""For lvm.conf: no udev runs there, so LVM makes the device nodes itself; otherwise lvcreate waits for one, and fails."""


def volumes() -> dict[str, int]:
    """Name -> bytes of what is in the volume group."""
    words = ["lvs", "--noheadings", "--units", "b", "--nosuffix", "-o", "lv_name,lv_size", "vg"]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(size) for name, size in map(str.split, lines)}


def written(name: str) -> bytes:
    with Path(f"/dev/vg/{name}").open("rb") as file:
        return file.read(1024)[512:521]


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.5)


def up(state: Path, resources: str, code: int = 0) -> str:
    (state / "stack.yaml").write_text(HEAD + resources)
    return run(state, "up", str(state / "stack.yaml"), "--name", "lv", "--host", URI, "--yes", code=code, seconds=900)


@pytest.mark.skipif(not MAPPED or not DISK, reason="it wants a kernel with device-mapper, and a disk to use up (STACKENGINE_LVM_DISK)")
def test_volumes_in_a_volume_group(state: Path) -> None:
    subprocess.run(["vgcreate", "vg", DISK], check=True, capture_output=True)
    run(state, "hosts", "start", "lvm")
    run(state, "pools", "add", URI, "group", "logical", "name=vg")
    image = state / "writer.raw"
    image.write_bytes((WRITER.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    base = SERVER + volume("root", f"size: 1, format: raw, pool: group, image: {image}") + volume("data", "size: 2, format: raw, pool: group")
    assert "is raw" in up(state, base.replace("format: raw, ", ""), code=3)
    up(state, base + attached("web", "data"))
    root, data = (shown(state, "lv")[name]["physical_id"] for name in ("root", "data"))
    assert volumes() == {root: GIB, data: 2 * GIB}
    wait_until(lambda: written(root) == b"hello-lvm", 300)
    up(state, base + attached("web", "data") + volume("copy", "format: raw, pool: group, source: {get_resource: root}"))
    assert sorted(volumes().values()) == [GIB, GIB, 2 * GIB]
    assert written(shown(state, "lv")["copy"]["physical_id"]) == b"hello-lvm"
    run(state, "down", "lv", "--yes")
    assert volumes() == {}


@pytest.mark.skipif(bool(DISK), reason="a disk is named, so it runs here")
def test_the_same_under_a_kernel_that_has_device_mapper(tmp_path: Path) -> None:
    problem = full_kernel.lacking()
    if problem:
        pytest.skip(problem)
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(6 * GIB)
    here = Path(__file__)
    words = [sys.executable, "-m", "pytest", "-v", "-x", "-p", "no:cacheprovider", str(here), "-k", "test_volumes_in_a_volume_group"]
    script = [
        f"echo {shlex.quote(NO_UDEV)} >>/etc/lvm/lvmlocal.conf", f"export PATH={shlex.quote(os.environ['PATH'])} HOME=/root STACKENGINE_LVM_DISK=/dev/vda",
        f"cd {shlex.quote(str(here.parents[2]))}", f"exec {shlex.join(words)}",
    ]  # fmt: skip
    command = ["sh", "-c", "\n".join(script)]
    code, said = full_kernel.run(command, MODULES, [disk], seconds=MINUTES * 60)
    print(said)
    assert (code, "1 passed" in said) == (0, True), said[-6000:]
