"""What a private host needs of the machine: programs, and the Debian packages that bring them.

Run as a program it prints them as ``program:package``, for the set-up of a machine that has nothing of ours yet (so: standard library only).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from types import MappingProxyType

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "libvirtd": "libvirt-daemon-system",
        "virtlogd": "libvirt-daemon-system",
        "virtlockd": "libvirt-daemon-system",
        "qemu-system-x86_64": "qemu-system-x86",
        "qemu-img": "qemu-utils",
        "dnsmasq": "dnsmasq-base",
        "iptables": "iptables",
        "ip": "iproute2",
        "unshare": "util-linux",
        "setsid": "util-linux",
        "mount": "mount",
    }
)
ROOTLESS: Mapping[str, str] = MappingProxyType({"newuidmap": "uidmap", "newgidmap": "uidmap"})
"""Beside :data:`PROGRAMS`, for a plain user."""
OUTBOUND: Mapping[str, str] = MappingProxyType({"slirp4netns": "slirp4netns"})
"""Beside :data:`PROGRAMS`, for guests that reach out."""
BINDING: Mapping[str, str] = MappingProxyType({"pkg-config": "pkg-config", "gcc": "gcc", "/usr/include/libvirt/libvirt.h": "libvirt-dev"})
"""To build libvirt-python, which has no wheels."""


def which(program: str) -> str | None:
    """The program's path; system folders count even where they are not in PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")


def missing(programs: Mapping[str, str]) -> list[str]:
    """Packages of programs that are not there."""
    return sorted({package for program, package in programs.items() if which(program) is None})


if __name__ == "__main__":
    for _program, _package in {**PROGRAMS, **ROOTLESS, **OUTBOUND, **BINDING}.items():
        print(f"{_program}:{_package}")
