"""What a private host needs of the machine: programs, and the Debian packages that bring them."""

from __future__ import annotations

import shutil

PROGRAMS = {
    "libvirtd": "libvirt-daemon-system",
    "virtlogd": "libvirt-daemon-system",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "dnsmasq": "dnsmasq-base",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "mount": "mount",
}
ROOTLESS = {"newuidmap": "uidmap"}
OUTBOUND = {"slirp4netns": "slirp4netns"}


def which(program: str) -> str | None:
    """The program's path; system folders count even where they are not in PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")


def missing(programs: dict[str, str]) -> list[str]:
    """Packages of programs that are not there."""
    return sorted({package for program, package in programs.items() if which(program) is None})
