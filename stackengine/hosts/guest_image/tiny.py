"""The ``tiny`` image: a kernel and an initramfs, built in seconds. What runs inside stands in ``guest/tiny/``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from stackengine.hosts.guest_image import kernel as kernels
from stackengine.hosts.guest_image.archive import Tree
from stackengine.hosts.guest_image.ingredients import ImageError, Package, Packages, libraries
from stackengine.hosts.guest_image.manifest import Manifest, digest, fingerprint, publish

GUEST = Path(__file__).parent / "guest" / "tiny"
CMDLINE = "console=ttyS0 quiet panic=-1 edd=off cryptomgr.notests"
"""``edd=off``, ``cryptomgr.notests``: probing BIOS disks and testing ciphers cost time under emulation. ``panic=-1``: a panic is a reboot, which the
host sees."""
CONTAINER_SIZE = "96M"
MODULES = [
    *("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "virtio_scsi", "isofs", "vfat"),
    *("nls_ascii", "nls_cp437", "nls_utf8", "ahci", "ata_piix", "sd_mod", "sr_mod", "button", "evdev"),
    *("virtiofs", "qemu_fw_cfg", "vmw_vsock_virtio_transport"),
    *("xen_blkfront", "xen_netfront"),
]
SYSTEM_APPLETS = frozenset(
    [
        *("acpid", "fsck", "getty", "halt", "ifconfig", "init", "insmod", "ip", "losetup", "lsmod", "mke2fs", "mkfs.ext2", "modprobe"),
        *("poweroff", "reboot", "rmmod", "route", "switch_root", "udhcpc"),
    ]
)
NOT_APPLETS = frozenset(("busybox", "linuxrc", "dpkg", "dpkg-deb", "rpm", "rpm2cpio"))
LIBRARY = ("apply.sh", "cloud-config.awk", "lib.sh", "mime.awk", "network.sh", "parts.sh", "seed.awk", "seed.sh", "yaml.awk")
"""Files of /lib/stack that are read; the others there are run."""
PROGRAMS = {
    "init": "init",
    "boot": "lib/stack/boot",
    "console": "lib/stack/console",
    "container": "lib/stack/container",
    "shell": "lib/stack/shell",
    "dhcp": "lib/stack/dhcp",
    "hotplug": "lib/stack/hotplug",
    "shutdown": "usr/sbin/shutdown",
    "mkfs.ext4": "usr/sbin/mkfs.ext4",
    "cloud-init": "usr/bin/cloud-init",
    "curl": "usr/bin/curl",
    "stack-signal": "usr/bin/stack-signal",
}
SETTINGS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/shells": "/bin/sh\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    "etc/os-release": 'NAME="stackengine tiny"\nID=tiny\nVERSION_ID=1\nPRETTY_NAME="stackengine tiny guest"\n',
    "etc/profile": "export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPS1='\\h:\\w\\$ '\n",
    "etc/issue": "stackengine tiny guest \\n\n",
}


def build(state_dir: Path) -> Manifest:
    """Build the image, or find the one that was built from the same packages and files."""
    if platform.machine() != "x86_64":
        raise ImageError(f"the tiny image is built on x86-64 only, this is {platform.machine()}", hint="name another image")
    packages = Packages(state_dir / "images" / "packages")
    kernel = kernels.find(packages)
    busybox = packages.find("busybox-static", "busybox")
    agent = packages.find("qemu-guest-agent")
    ssh = packages.find("dropbear-bin")
    versions = {"kernel": f"{kernel.release} {kernel.version}", **{p.name: p.version for p in (busybox, agent, ssh)}}
    own = {path.name: digest(path) for path in sorted(GUEST.iterdir())}
    code = {name: digest(Path(__file__).parent / name) for name in ("tiny.py", "archive.py", "kernel.py")}

    def fill(folder: Path) -> Manifest:
        shutil.copyfile(kernel.image, folder / "kernel")
        tree = _tree(busybox, agent, ssh)
        kernel.install(tree, MODULES)
        (folder / "initrd").write_bytes(tree.pack())
        return Manifest(
            "tiny",
            folder,
            "kernel",
            {"kernel": "kernel", "initrd": "initrd"},
            {part: digest(folder / part) for part in ("kernel", "initrd")},
            CMDLINE,
            built_from=versions,
        )

    return publish(state_dir / "images" / "tiny" / fingerprint({"versions": versions, "own": own, "code": code}), fill)


def build_container(state_dir: Path) -> Manifest:
    """The same without a kernel, as an ext4 file system: the root of a container, whose first process is ``/lib/stack/container``."""
    packages = Packages(state_dir / "images" / "packages")
    parts = [packages.find("busybox-static", "busybox"), packages.find("qemu-guest-agent"), packages.find("dropbear-bin")]
    versions = {p.name: p.version for p in parts}
    own = {path.name: digest(path) for path in sorted(GUEST.iterdir())}
    code = {name: digest(Path(__file__).parent / name) for name in ("tiny.py", "archive.py")}

    def fill(folder: Path) -> Manifest:
        root, file = folder / "root", folder / "rootfs"
        root.mkdir()
        _tree(*parts).unpack(root)
        program = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None:
            raise ImageError("mke2fs is not here", hint="apt-get install e2fsprogs")
        command = [program, "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0", "-d", str(root), str(file), CONTAINER_SIZE]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        shutil.rmtree(root)
        return Manifest("tiny-container", folder, "kernel", {"rootfs": "rootfs"}, {"rootfs": digest(file)}, memory=32, built_from=versions)

    return publish(state_dir / "images" / "tiny-container" / fingerprint({"versions": versions, "own": own, "code": code}), fill)


def _tree(busybox: Package, agent: Package, ssh: Package) -> Tree:
    tree = Tree()
    for path in ("dev", "proc", "sys", "run", "mnt", "var/log", "var/lib", "etc/dropbear", "usr/local/bin"):
        tree.directory(path)
    tree.directory("tmp", 0o1777)
    tree.directory("root", 0o700)
    tree.link("var/run", "/run")
    _busybox(tree, busybox)
    roots = [package.root for package in (busybox, agent, ssh)]
    for package, path in ((agent, "/usr/sbin/qemu-ga"), (ssh, "/usr/sbin/dropbear"), (ssh, "/usr/bin/dropbearkey")):
        _program(tree, path.lstrip("/"), package.path(path), roots)
    for name, path in PROGRAMS.items():
        tree.copy(path, GUEST / name, 0o755)
    tree.link("sbin/shutdown", "../usr/sbin/shutdown")
    for name in LIBRARY:
        tree.copy(f"lib/stack/{name}", GUEST / name)
    tree.copy("etc/inittab", GUEST / "inittab")
    for path, text in SETTINGS.items():
        tree.file(path, text.encode())
    tree.file("etc/shadow", b"root:*:19000:0:99999:7:::\n", 0o600)
    tree.file("etc/acpi/PWRF/00000080", b"#!/bin/sh\nexec /sbin/shutdown -P now\n", 0o755)
    return tree


def _busybox(tree: Tree, busybox: Package) -> None:
    program = busybox.path("/bin/busybox")
    if not program.exists():
        program = busybox.path("/usr/bin/busybox")
    _program(tree, "bin/busybox", program, [busybox.root])
    for applet in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet not in NOT_APPLETS:
            tree.link(f"sbin/{applet}" if applet in SYSTEM_APPLETS else f"bin/{applet}", "/bin/busybox")
    tree.link("bin/bash", "sh")  # scripts that say #!/bin/bash mostly mean a shell


def _program(tree: Tree, path: str, source: Path, roots: list[Path]) -> None:
    if not source.is_file():
        raise ImageError(f"{source} is not there", hint="apt-get install --reinstall qemu-guest-agent dropbear-bin busybox-static")
    tree.copy(path, source, 0o755)
    for name, library in libraries(source, roots):
        tree.copy(name, library, 0o755)
