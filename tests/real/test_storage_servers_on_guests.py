"""Disks that other machines give out, from real servers inside the private host's own network: NBD (nbdkit), iSCSI (tgt), Ceph RBD (one node);
and pools on block devices: a file system, partitions.

What is missing is installed by the test, with services kept from starting.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import run
from disks_of_guests import GIB, HEAD, attached, device, guest, inside, shown, volume
from stackengine.hosts import private
from stackengine.hosts.private import requirements

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [
    pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking)),
    pytest.mark.skipif(os.getuid() != 0, reason="only root installs packages and enters the host's namespaces"),
]  # fmt: skip

PACKAGES = {
    "nbdkit": "nbdkit", "parted": "parted", "tgtd": "tgt", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", "rbd": "ceph-common",
    "/usr/lib/x86_64-linux-gnu/qemu/block-rbd.so": "qemu-block-extra",
    "/usr/lib/x86_64-linux-gnu/libvirt/storage-backend/libvirt_storage_backend_rbd.so": "libvirt-daemon-driver-storage-rbd",
    "/usr/lib/x86_64-linux-gnu/libvirt/storage-backend/libvirt_storage_backend_iscsi-direct.so": "libvirt-daemon-driver-storage-iscsi-direct",
}  # fmt: skip
"""What must be there -> the package that brings it."""
URI, NAME, ADDRESS = "private://served", "served", "10.97.0.1"
IQN, INITIATOR = "iqn.2026-01.org.example:disks", "iqn.2026-01.org.example:guest"


@pytest.fixture(scope="module")
def served(state: Path) -> Path:
    """A private host with whatever the servers need, and a folder of theirs."""
    install()
    private.ensure(NAME, state)
    folder = state / "servers"
    folder.mkdir()
    return folder


def install() -> None:
    missing = sorted({package for what, package in PACKAGES.items() if not (Path(what).exists() if what.startswith("/") else shutil.which(what))})
    if not missing:
        return
    policy = Path("/usr/sbin/policy-rc.d")
    fresh = not policy.exists()
    if fresh:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=600)
        if done.returncode:
            pytest.skip(f"{' '.join(missing)} cannot be installed here: {done.stderr.strip()[-200:]}")
    finally:
        if fresh:
            policy.unlink()


def within(state: Path, script: str, seconds: float = 90) -> str:
    """Run a script in the private host's namespaces: what it starts ends with the host."""
    pid = private.find(NAME, state).pid
    words = ["nsenter", "-t", str(pid), "-m", "-n", "-p", "-i", "-u", "--", "sh", "-ec", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{script}: {done.stdout[-500:]}{done.stderr[-1500:]}"
    return done.stdout.strip()


def up(state: Path, stack: str, resources: str, code: int = 0) -> str:
    (state / "stack.yaml").write_text(HEAD + resources)
    return run(state, "up", str(state / "stack.yaml"), "--name", stack, "--host", URI, "--yes", "--allow", "replace", code=code)


def written(state: Path, stack: str, text: str) -> None:
    """The guest writes to the disk of ``data``, and reads it back."""
    disk = device(state, stack, "web", "data")
    inside(state, stack, "web", f"echo {text} | dd of={disk} conv=notrunc,fsync 2>/dev/null")
    assert inside(state, stack, "web", f"echo 3 >/proc/sys/vm/drop_caches; dd if={disk} bs={len(text)} count=1 2>/dev/null") == text


def test_a_disk_of_an_nbd_server(state: Path, served: Path) -> None:
    within(state, f"truncate -s 32M {served}/nbd.img; nbdkit -p 10810 -i 127.0.0.1 -e data file {served}/nbd.img")
    up(state, "nbd", guest("web") + volume("data", "at: 'nbd://127.0.0.1:10810/data'") + attached("web", "data"))
    written(state, "nbd", "hello-nbd")
    assert (served / "nbd.img").read_bytes()[:9] == b"hello-nbd"
    run(state, "down", "nbd", "--yes")
    assert (served / "nbd.img").read_bytes()[:9] == b"hello-nbd"


def test_luns_of_an_iscsi_target(state: Path, served: Path) -> None:
    control = "tgtadm --control-port 7 --lld iscsi"
    within(state, f"truncate -s 64M {served}/lun1; truncate -s 32M {served}/lun2; tgtd --control-port 7 >/dev/null 2>&1; sleep 1")
    lines = [f"{control} --op new --mode target --tid 1 -T {IQN}"]
    lines += [f"{control} --op new --mode logicalunit --tid 1 --lun {n} -b {served}/lun{n}" for n in (1, 2)]
    within(state, "; ".join([*lines, f"{control} --op bind --mode target --tid 1 -I ALL"]))
    said = run(state, "pools", "add", URI, "luns", "iscsi-direct", "host=127.0.0.1:3260", f"device={IQN}", f"initiator={INITIATOR}")
    assert "iscsi-direct" in said
    assert "libvirt makes no volumes" in up(state, "iscsi", guest("web") + volume("data", "size: 1, pool: luns"), code=3)
    up(state, "iscsi", guest("web") + volume("data", "pool: luns, existing: 'unit:0:0:1'") + attached("web", "data"))
    written(state, "iscsi", "hello-iscsi")
    assert (served / "lun1").read_bytes()[:11] == b"hello-iscsi"
    at = guest("web") + volume("data", f"at: 'iscsi://127.0.0.1/{IQN}/2'") + attached("web", "data")
    up(state, "iscsi", at)  # another disk: the attachment moves
    written(state, "iscsi", "by-address")
    assert (served / "lun2").read_bytes()[:10] == b"by-address"
    run(state, "down", "iscsi", "--yes")
    run(state, "pools", "rm", URI, "luns")


@pytest.fixture
def loops(served: Path) -> Iterator[tuple[str, str]]:
    """Two block devices: one with a file system, one with a partition."""
    made = []
    for name in ("fs.img", "disk.img"):
        with (served / name).open("wb") as file:
            file.truncate(300 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", str(served / "fs.img")], check=True)
    subprocess.run(["parted", "-s", str(served / "disk.img"), "mklabel", "gpt", "mkpart", "data", "1MiB", "65MiB"], check=True)
    for name in ("fs.img", "disk.img"):
        done = subprocess.run(["losetup", "-P", "-f", "--show", str(served / name)], capture_output=True, text=True, check=True)
        made.append(done.stdout.strip())
    part = Path(f"{made[1]}p1")
    if not Path(f"/sys/class/block/{part.name}").exists():  # a kernel that reads no GPT still takes a partition that it is told of
        subprocess.run(["addpart", made[1], "1", "2048", "131072"], check=True)
    if not part.exists():  # without devtmpfs nobody makes the partition's node
        numbers = Path(f"/sys/class/block/{part.name}/dev").read_text().split(":")
        os.mknod(part, 0o600 | stat.S_IFBLK, os.makedev(int(numbers[0]), int(numbers[1])))
    yield made[0], made[1]
    part.unlink(missing_ok=True)
    for device_ in made:
        subprocess.run(["losetup", "-d", device_], check=False)


def test_pools_on_block_devices(state: Path, served: Path, loops: tuple[str, str]) -> None:
    run(state, "pools", "add", URI, "mounted", "fs", f"device={loops[0]}", f"path={served}/mounted", "format=ext4")
    run(state, "pools", "add", URI, "parts", "disk", f"device={loops[1]}", "format=gpt")
    part = Path(loops[1]).name + "p1"
    base = guest("web") + volume("data", "size: 1, pool: mounted") + attached("web", "data")
    base += volume("part", f"pool: parts, existing: {part}") + attached("web", "part")
    up(state, "blocks", base)
    written(state, "blocks", "hello-fs")
    disk = device(state, "blocks", "web", "part")
    inside(state, "blocks", "web", f"echo hello-part | dd of={disk} conv=notrunc,fsync 2>/dev/null")
    with Path(f"{loops[1]}p1").open("rb") as partition:
        assert partition.read(10) == b"hello-part"
    snapshot = "  before: {type: 'SE::VolumeSnapshot', depends_on: web-data, properties: {volume: {get_resource: data}}}\n"
    up(state, "blocks", base.replace("size: 1", "size: 2") + snapshot)
    assert int(inside(state, "blocks", "web", f"blockdev --getsize64 {device(state, 'blocks', 'web', 'data')}")) == 2 * GIB
    run(state, "down", "blocks", "--yes")
    for name in ("mounted", "parts"):
        run(state, "pools", "rm", URI, name)


CEPH = """[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:{address}:3300,v1:{address}:6789]
auth cluster required = none
auth service required = none
auth client required = none
public addr = {address}
cluster addr = {address}
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon warn on pool no redundancy = false
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
log file = {folder}/$name.log
[mon.a]
mon data = {folder}/mon/a
[osd.0]
osd data = {folder}/osd/0
osd objectstore = memstore
memstore device bytes = 536870912
"""


def ceph(state: Path, folder: Path) -> None:
    """One monitor and one store in memory, without a manager."""
    for part in ("mon", "osd/0", "run"):
        (folder / part).mkdir(parents=True)
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    (folder / "ceph.conf").write_text(CEPH.format(fsid=fsid, address=ADDRESS, folder=folder))
    within(state, f"ip link add ce0 type veth peer name ce1; ip addr add {ADDRESS}/24 dev ce0; ip link set ce0 up; ip link set ce1 up")
    conf = f"export CEPH_CONF={folder}/ceph.conf"
    within(state, f"{conf}; monmaptool --create --addv a '[v2:{ADDRESS}:3300,v1:{ADDRESS}:6789]' --fsid {fsid} {folder}/monmap; "
           f"ceph-mon --mkfs -i a --monmap {folder}/monmap; ceph-mon -i a >/dev/null 2>&1; timeout 60 ceph osd new {osd}")  # fmt: skip
    within(state, f"{conf}; ceph-osd -i 0 --mkfs --osd-uuid {osd} 2>/dev/null; timeout 30 ceph osd crush add osd.0 1.0 root=default host=one; "
           "ceph-osd -i 0 >/dev/null 2>&1")  # fmt: skip
    end = time.monotonic() + 60
    while "1 up" not in within(state, f"{conf}; timeout 20 ceph osd stat"):
        assert time.monotonic() < end, "the store did not come up"
        time.sleep(0.5)
    within(state, f"{conf}; timeout 30 ceph osd pool create rbd 8 8; timeout 60 rbd pool init rbd")


def test_volumes_in_a_pool_of_ceph(state: Path, served: Path) -> None:
    ceph(state, served / "ceph")
    run(state, "pools", "add", URI, "vms", "rbd", "name=rbd", f"host={ADDRESS}:6789")
    base = guest("web") + volume("data", "size: 1, format: raw, pool: vms") + attached("web", "data")
    assert "is raw" in up(state, "ceph", base.replace("format: raw, ", ""), code=3)
    up(state, "ceph", base)
    written(state, "ceph", "hello-rbd")
    snapshot = "  before: {type: 'SE::VolumeSnapshot', depends_on: web-data, properties: {volume: {get_resource: data}}}\n"
    up(state, "ceph", base.replace("size: 1", "size: 2") + snapshot)
    disk = device(state, "ceph", "web", "data")
    assert int(inside(state, "ceph", "web", f"blockdev --getsize64 {disk}")) == 2 * GIB
    written(state, "ceph", "afterward")
    copy = volume("old", "format: raw, pool: vms, source: {get_resource: before}") + attached("web", "old")
    up(state, "ceph", base.replace("size: 1", "size: 2") + snapshot + copy)
    old = device(state, "ceph", "web", "old")
    assert inside(state, "ceph", "web", f"dd if={old} bs=9 count=1 2>/dev/null") == "hello-rbd"
    name, conf = shown(state, "ceph")["data"]["physical_id"], f"export CEPH_CONF={served}/ceph/ceph.conf"
    assert name in within(state, f"{conf}; timeout 30 rbd ls rbd")
    run(state, "down", "ceph", "--yes")
    assert within(state, f"{conf}; timeout 30 rbd ls rbd") == ""
