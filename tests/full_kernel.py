"""A command of this machine under another kernel: an emulated machine whose root is this machine's file system, with what is written kept in memory.

For what the kernel here lacks (device-mapper). Debian's cloud kernel has it, and guests boot it anyway; needs root, QEMU, virtiofsd and busybox.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stackengine.hosts.guest_image import kernel as kernels
from stackengine.hosts.guest_image.archive import Tree
from stackengine.hosts.guest_image.ingredients import ImageError, Packages, libraries

MEMORY = 3072
"""MiB: of them half may be written files."""
VIRTIOFSD = ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd")
NEEDED = ("virtio_pci", "virtio_blk", "virtiofs", "overlay")
INIT = """#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev /low /over /new
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
for module in {modules}; do modprobe $module; done
mount -t virtiofs -o ro root /low && mount -t tmpfs -o size=60% tmpfs /over && mkdir /over/up /over/work
mount -t overlay -o lowerdir=/low,upperdir=/over/up,workdir=/over/work overlay /new || poweroff -f
for folder in proc sys dev; do mount --move /$folder /new/$folder; done
mount -t tmpfs tmpfs /new/tmp; mount -t tmpfs tmpfs /new/run; mkdir -p /new/dev/pts /new/dev/shm /new/run/lock
mount -t devpts devpts /new/dev/pts; mount -t tmpfs tmpfs /new/dev/shm; mount -t cgroup2 cgroup /new/sys/fs/cgroup
mkdir -p /new/lib/modules/{release}; mount --bind /new{folder} /new/lib/modules/{release}
cp /command /new/run/command
exec switch_root /new /bin/sh -c 'ip link set lo up; /bin/sh /run/command; echo "the command ended: $?"; sync; echo o >/proc/sysrq-trigger; sleep 60'
"""
ENDED = re.compile(r"^the command ended: (\d+)\s*$", re.MULTILINE)


def lacking() -> str:
    """Why there is no such machine here; empty where there is."""
    if os.getuid() != 0:
        return "only root shares the whole file system"
    if not any(Path(p).exists() for p in VIRTIOFSD) or shutil.which("qemu-system-x86_64") is None or shutil.which("busybox") is None:
        return "QEMU, virtiofsd or busybox is not here"
    try:
        kernels.find(Packages(Path("/nowhere"), download=False))
    except (ImageError, OSError) as error:
        return str(error)
    return ""


def run(command: Sequence[str], modules: Sequence[str], disks: Sequence[Path] = (), *, seconds: float) -> tuple[int, str]:
    """(exit code, what was printed) of ``command`` there, with ``modules`` loaded and ``disks`` (raw) as /dev/vda and so on. -1: it did not end in time."""
    with tempfile.TemporaryDirectory(prefix="se-kernel-") as name:
        folder = Path(name)
        files = _prepared(folder, command, [*NEEDED, *modules])
        server = subprocess.Popen(
            [next(p for p in VIRTIOFSD if Path(p).exists()), f"--socket-path={folder}/fs", "-o", "source=/", "-o", "cache=always", "-o", "sandbox=chroot"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(folder / "fs.log").open("w"),
        )  # fmt: skip
        try:
            end = time.monotonic() + 10
            while not (folder / "fs").exists():
                assert time.monotonic() < end, (folder / "fs.log").read_text()
                time.sleep(0.05)
            with (folder / "console").open("w") as console:
                machine = subprocess.Popen(_words(folder, files, disks), stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
                try:
                    machine.wait(seconds)
                except subprocess.TimeoutExpired:
                    machine.kill()
                    machine.wait()
        finally:
            server.kill()
            server.wait()
        said = (folder / "console").read_text("utf-8", "replace").replace("\r\n", "\n")
        found = ENDED.search(said)
        return int(found.group(1)) if found else -1, said


def _prepared(folder: Path, command: Sequence[str], modules: Sequence[str]) -> tuple[Path, Path]:
    """(kernel, initial RAM disk)."""
    kernel, tree = kernels.find(Packages(folder / "packages", download=False)), Tree()
    tree.file("init", INIT.format(modules=" ".join(modules), release=kernel.release, folder=kernel.modules).encode(), 0o755)
    tree.file("command", (shlex.join(command) + "\n").encode())
    busybox = Path(str(shutil.which("busybox")))
    for path, program in (("bin/busybox", busybox), *libraries(busybox, [])):
        tree.copy(path, program, 0o755)
    kernel.install(tree, list(modules))
    (folder / "initrd").write_bytes(tree.pack())
    return kernel.image, folder / "initrd"


def _words(folder: Path, files: tuple[Path, Path], disks: Sequence[Path]) -> list[str]:
    words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35,memory-backend=all", "-cpu", "max", "-smp", "2", "-m", str(MEMORY)]
    words += ["-object", f"memory-backend-memfd,id=all,size={MEMORY}M,share=on", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
    words += ["-kernel", str(files[0]), "-initrd", str(files[1]), "-append", "console=ttyS0 quiet panic=-1 cryptomgr.notests"]
    words += ["-chardev", f"socket,id=fs,path={folder}/fs", "-device", "vhost-user-fs-pci,chardev=fs,tag=root"]
    return words + [w for disk in disks for w in ("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe")]
