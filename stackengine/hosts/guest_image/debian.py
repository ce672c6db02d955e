"""The ``debian-12-lab`` image: a small Debian with systemd and genuine cloud-init, made from packages by mmdebstrap.

For the slow test that proves that user-data means the same to the real cloud-init. No loop mount, no boot loader: a root file system as
qcow2, with the kernel and a small initramfs that are booted directly. Building takes a minute or two and needs a Debian mirror.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from stackengine.hosts.guest_image import kernel as kernels
from stackengine.hosts.guest_image.archive import Tree
from stackengine.hosts.guest_image.ingredients import ImageError, Packages, libraries
from stackengine.hosts.guest_image.kernel import Kernel
from stackengine.hosts.guest_image.manifest import Manifest, digest, fingerprint, publish

GUEST = Path(__file__).parent / "guest" / "debian"
SUITE = "bookworm"
CMDLINE = "console=ttyS0 quiet panic=-1 edd=off cryptomgr.notests net.ifnames=0"
INCLUDE = [
    *("systemd-sysv", "udev", "dbus", "cloud-init", "qemu-guest-agent", "openssh-server", "iproute2", "netbase", "ca-certificates"),
    *("kmod", "procps", "curl", "python3-yaml", "busybox-static", "e2fsprogs", "systemd-resolved"),
]
MODULES = [
    *("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "virtio_scsi", "isofs", "vfat", "nls_ascii"),
    *("nls_cp437", "ahci", "ata_piix", "sd_mod", "sr_mod", "button", "evdev", "xfs", "nf_tables", "8021q"),
]
BOOT_MODULES = ["virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod"]
NEEDED = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "qemu-img": "qemu-utils", "depmod": "kmod"}
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def build(state_dir: Path) -> Manifest:
    """Build the image, or find the one that was built from the same recipe and kernel."""
    missing = sorted({package for program, package in NEEDED.items() if not shutil.which(program, path=_PATH)})
    if os.geteuid() and not shutil.which("newuidmap"):
        missing.append("uidmap")
    if missing:
        raise ImageError(f"packages are missing for building a Debian image: {', '.join(missing)}", hint="apt-get install " + " ".join(missing))
    packages = Packages(state_dir / "images" / "packages")
    kernel = kernels.find(packages)
    busybox = packages.find("busybox-static", "busybox")
    versions = {"kernel": f"{kernel.release} {kernel.version}", "busybox": busybox.version, "suite": SUITE}
    own = {path.name: digest(path) for path in [*sorted(GUEST.iterdir()), Path(__file__)]}

    def fill(folder: Path) -> Manifest:
        _root(kernel, folder)
        shutil.copyfile(kernel.image, folder / "kernel")
        (folder / "initrd").write_bytes(_initrd(kernel, busybox.path("/bin/busybox"), busybox.root).pack())
        files = {part: part for part in ("kernel", "initrd", "disk")}
        return Manifest(
            "debian-12-lab", folder, "kernel", files, {part: digest(folder / part) for part in files}, CMDLINE, memory=384, built_from=versions
        )

    return publish(state_dir / "images" / "debian-12-lab" / fingerprint({"versions": versions, "own": own}), fill)


def _root(kernel: Kernel, folder: Path) -> None:
    """Make ``disk`` in ``folder``."""
    tar, raw, modules = folder / "root.tar", folder / "root.raw", folder / "modules"
    _unpack_modules(kernel, modules)
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale", "i18n")]
    customize = f"--customize-hook='{GUEST / 'customize'}' \"$1\""
    _run(["mmdebstrap", "--quiet", "--variant=minbase", *excluded, f"--include={','.join(INCLUDE)}", customize, SUITE, str(tar)])
    command = ["sh", str(GUEST / "pack"), str(tar), str(modules / "lib" / "modules"), kernel.release, str(raw)]
    _run(command if os.geteuid() == 0 else ["unshare", "--user", "--map-auto", "--map-root-user", *command])
    _run(["qemu-img", "convert", "-q", "-c", "-O", "qcow2", str(raw), str(folder / "disk")])
    tar.unlink()
    raw.unlink()
    shutil.rmtree(modules)


def _unpack_modules(kernel: Kernel, folder: Path) -> None:
    tree = Tree()
    kernel.install(tree, MODULES)
    tree.unpack(folder)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        source = kernel.modules / name
        if source.exists():
            shutil.copyfile(source, folder / "lib" / "modules" / kernel.release / name)


def _initrd(kernel: Kernel, busybox: Path, root: Path) -> Tree:
    tree = Tree()
    tree.copy("bin/busybox", busybox, 0o755)
    for path, library in libraries(busybox, [root]):
        tree.copy(path, library, 0o755)
    tree.copy("init", GUEST / "init", 0o755)
    tree.link("sbin/modprobe", "/bin/busybox")
    kernel.install(tree, BOOT_MODULES)
    return tree


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": _PATH, "LC_ALL": "C"})
    if result.returncode:
        tail = "\n".join((result.stderr or result.stdout).strip().splitlines()[-15:])
        raise ImageError(f"{command[0]} failed with exit code {result.returncode}", tail=tail, hint="is a Debian mirror reachable?")
