"""The disk of the Xen host's dom0, built of Debian's packages: unpacked, not installed, and no root file system is mounted for it."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from stackengine.hosts.guest_image.archive import Tree
from stackengine.hosts.guest_image.ingredients import Package, Packages, depends
from stackengine.hosts.guest_image.manifest import digest, fingerprint

HERE = Path(__file__).parent
OWN = HERE / "dom0"
INCLUDED = (
    *("bash", "coreutils", "sed", "grep", "mawk", "base-passwd", "netbase", "iproute2", "kmod", "util-linux", "mount", "busybox-static", "procps"),
    *("xen-utils-4.17", "libvirt-daemon", "libvirt-daemon-driver-xen", "libvirt-clients", "dnsmasq-base", "iptables", "qemu-system-xen", "qemu-utils"),
    *("e2fsprogs", "lvm2", "dropbear-bin"),
)
NEEDLESS = (
    *("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl", "usr/share/i18n", "usr/share/zoneinfo", "usr/share/xml", "usr/share/info"),
    *("usr/share/polkit-1", "usr/share/bash-completion", "lib/systemd", "lib/udev/hwdb.d", "usr/lib/x86_64-linux-gnu/gconv"),
    *("usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so", "var/cache/apt", "var/lib/apt"),
)
LOADED = (
    *("xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "xen-blkback", "xen-netback", "loop", "bridge", "br_netfilter", "tun"),
    *("virtio_net", "8021q", "dm-mod", "dm-snapshot"),
)
"""Modules that dom0 loads as it starts."""
MODULES = (
    *LOADED, *("virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "nf_tables", "nft_compat", "nft_chain_nat", "nft_masq", "nft_ct", "nf_nat"),
    *("xt_MASQUERADE", "xt_conntrack", "xt_CHECKSUM", "xt_tcpudp", "xt_mark", "xt_comment", "xt_physdev", "xt_nat", "ipt_REJECT", "ip6t_REJECT"),
    *("nft_reject_inet", "dm-thin-pool", "sch_htb", "sch_ingress", "sch_sfq", "cls_u32", "act_police", "cls_fw"),
)  # fmt: skip
FIRST = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
"""Modules without which dom0 does not find its disk."""
NFT_NAMES = [f"{family}tables{verb}" for family in ("ip", "ip6", "eb") for verb in ("", "-save", "-restore")]
PASSWD = "libvirt-dnsmasq:x:902:901::/var/lib/libvirt/dnsmasq:/usr/sbin/nologin\n"
LIBVIRTD = 'listen_tls = 0\nauth_unix_ro = "none"\nauth_unix_rw = "none"\nlog_outputs = "2:file:/var/log/libvirt/libvirtd.log"\n'
POOL = "<pool type='dir'><name>{0}</name><target><path>/var/lib/libvirt/{1}</path></target></pool>\n"
POOLS = {"default": "images", "se-layers": "layers"}
DISK = "6G"
"""Sparse; what guests write goes into a layer over it."""


def build(cache: Path) -> Path:
    """The folder with ``xen``, ``vmlinux``, ``initrd``, ``disk`` and ``key``, built unless it was built of the same packages and files before."""
    kernel_name = depends("linux-image-amd64", r"linux-image-[0-9][0-9a-z.+-]*-amd64")
    hypervisor_name = depends("xen-system-amd64", r"xen-hypervisor-[0-9.]+-amd64")
    versions = _versions(kernel_name, hypervisor_name, *INCLUDED)
    own = {path.name: digest(path) for path in sorted(OWN.iterdir())}
    folder = cache / fingerprint({"versions": versions, "own": own, "code": digest(Path(__file__))})
    if (folder / "disk").is_file():
        return folder
    packages = Packages(cache / "packages")
    kernel, hypervisor = packages.find(kernel_name), packages.find(hypervisor_name)
    cache.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".xen.", dir=cache))
    try:
        _fill(part, kernel, hypervisor, kernel_name.removeprefix("linux-image-"))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _versions(*names: str) -> dict[str, str]:
    """What apt would fetch."""
    said = subprocess.run(
        ["apt-cache", "policy", *names], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL
    ).stdout
    found = dict(re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (\S+)", said, re.MULTILINE))
    lacking = [name for name in names if found.get(name, "(none)") == "(none)"]
    if lacking:
        raise RuntimeError(f"apt knows no {', '.join(lacking)}: apt-get update")
    return found


def _fill(folder: Path, kernel: Package, hypervisor: Package, release: str) -> None:
    image = kernel.path(f"/boot/vmlinuz-{release}").read_bytes()
    (folder / "vmlinux").write_bytes(lzma.LZMADecompressor().decompress(image[image.index(b"\xfd7zXZ\0") :]))  # else Xen unpacks it, emulated
    packed = next(hypervisor.path("/boot").glob("xen-*.gz"))
    with (folder / "xen").open("wb") as out:
        _run("zcat", packed, stdout=out.fileno())
    root = folder / "root"
    mode = "root" if os.getuid() == 0 else "unshare"
    _run(
        "mmdebstrap", f"--mode={mode}", "--variant=extract", "--format=directory", "--components=main", "--aptopt=Apt::Install-Recommends false",
        f"--include={','.join(INCLUDED)}", "bookworm", root, *_sources(),
    )  # fmt: skip
    _bootable(root)
    _modules(root, kernel, release)
    _configured(root, folder)
    _initrd(folder / "initrd", root, kernel, release)
    _run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", root, folder / "whole", DISK)
    shutil.rmtree(root)
    (folder / "whole").rename(folder / "disk")


def _sources() -> list[Path]:
    """This machine's own package sources."""
    folder = Path("/etc/apt")
    found = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list")), *sorted((folder / "sources.list.d").glob("*.sources"))]
    return [path for path in found if path.is_file()]


def _bootable(root: Path) -> None:
    """What maintainer scripts would have done, as far as it is needed; and what is needless goes."""
    for name in NEEDLESS:
        path = root / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    _link(root / "bin/sh", "bash")
    _link(root / "usr/bin/awk", "mawk")
    for name in NFT_NAMES:
        _link(root / "usr/sbin" / name, "xtables-nft-multi")
    for name, target in (("run", "/run"), ("lock", "/run/lock")):
        shutil.rmtree(root / "var" / name, ignore_errors=True)
        _link(root / "var" / name, target)
    master = root / "usr/share/base-passwd"
    (root / "etc/passwd").write_text(re.sub(r"^root:.*", "root:*:0:0:root:/root:/bin/bash", (master / "passwd.master").read_text()) + PASSWD)
    (root / "etc/group").write_text((master / "group.master").read_text() + "libvirt:x:901:\nlibvirt-dnsmasq:x:902:\n")
    (root / "etc/shells").write_text("/bin/sh\n/bin/bash\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost xen\n")
    (root / "etc/machine-id").write_text("5e0a9fd1f7c34e5fb1d0a3c2b4e69788\n")
    # the emulated processor lacks VME, and with it every model that libvirt knows: its Xen driver would not start
    models = root / "usr/share/libvirt/cpu_map/x86_486.xml"
    models.write_text(re.sub(r".*name='vme'.*\n", "", models.read_text()))


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _needed(kernel: Package, release: str, names: tuple[str, ...]) -> list[Path]:
    """The files of modules and of what they depend on, in the order in which they are loaded."""
    found: list[Path] = []
    for name in names:
        shown = subprocess.run(
            ["modprobe", "-d", kernel.root, "-S", release, "--show-depends", name], capture_output=True, text=True, check=False
        ).stdout
        found += [Path(line.split()[1]) for line in shown.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(found))


def _modules(root: Path, kernel: Package, release: str) -> None:
    base = kernel.path(f"/lib/modules/{release}")
    if not (base / "modules.dep").is_file():
        _run("depmod", "-b", kernel.root, release)
    for file in _needed(kernel, release, MODULES):
        target = root / file.relative_to(kernel.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copyfile(base / name, root / "lib/modules" / release / name)
    _run("depmod", "-b", root, release)
    (root / "etc/modules").write_text("".join(f"{name}\n" for name in LOADED))


def _configured(root: Path, folder: Path) -> None:
    for name in ("root/.ssh", "var/log/xen/console", "var/log/libvirt", "var/lib/libvirt/dnsmasq", "var/lib/libvirt/images", "var/lib/libvirt/layers",
                 "var/lib/libvirt/boot", "etc/libvirt/storage/autostart", "etc/dropbear", "proc", "sys", "dev", "tmp", "run"):  # fmt: skip
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/libvirt/libvirtd.conf").write_text(LIBVIRTD)
    (root / "etc/libvirt/libxl.conf").write_text("autoballoon = 0\n")
    for name, place in POOLS.items():
        (root / f"etc/libvirt/storage/{name}.xml").write_text(POOL.format(name, place))
        _link(root / f"etc/libvirt/storage/autostart/{name}.xml", f"../{name}.xml")
    for script in ("vif-bridge", "block"):
        shutil.copyfile(OWN / script, root / "etc/xen/scripts" / script)
        (root / "etc/xen/scripts" / script).chmod(0o755)
    shutil.copyfile(OWN / "init", root / "init")
    (root / "init").chmod(0o755)
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "xen", "-f", folder / "key")
    shutil.copyfile(folder / "key.pub", root / "root/.ssh/authorized_keys")
    (root / "root").chmod(0o700)
    (root / "root/.ssh").chmod(0o700)


def _initrd(file: Path, root: Path, kernel: Package, release: str) -> None:
    tree = Tree()
    for name in ("dev", "proc", "sys", "new"):
        tree.directory(name)
    busybox = next(p for p in (root / "bin/busybox", root / "usr/bin/busybox") if p.is_file())
    tree.copy("bin/busybox", busybox, 0o755)
    tree.copy("init", OWN / "first", 0o755)
    modules = _needed(kernel, release, FIRST)
    for module in modules:
        tree.copy(f"modules/{module.name}", module)
    tree.file("order", "".join(f"{m.name}\n" for m in modules).encode())
    file.write_bytes(tree.pack())


def _run(*command: str | Path, stdout: int | None = None) -> None:
    done = subprocess.run([str(word) for word in command], stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = ((done.stdout or b"") + done.stderr).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} failed: {said}")
