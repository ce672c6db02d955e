"""What a private host needs of the machine: programs and files, and the Debian packages that bring them.

None of them starts a service, now or at the next boot: libvirt's programs are in ``libvirt-daemon``, its services in ``libvirt-daemon-system``.

Run as a program it prints them as ``program:package``, for the set-up of a machine that has nothing of ours yet (so: standard library only).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "libvirtd": "libvirt-daemon",
        "virtlogd": "libvirt-daemon",
        "virtlockd": "libvirt-daemon",
        "/usr/share/libvirt/nwfilter/clean-traffic.xml": "libvirt-daemon-config-nwfilter",
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
SWITCH: Mapping[str, str] = MappingProxyType(
    {"ovs-vsctl": "openvswitch-common", "ovsdb-server": "openvswitch-common", "ovsdb-tool": "openvswitch-common", "ovs-vswitchd": "openvswitch-switch"}
)
"""Beside :data:`PROGRAMS`, for networks with VLAN tags. The second package brings a service, which is not needed here."""
BINDING: Mapping[str, str] = MappingProxyType({"pkg-config": "pkg-config", "gcc": "gcc", "/usr/include/libvirt/libvirt.h": "libvirt-dev"})
"""To build libvirt-python, which has no wheels."""


def which(program: str) -> str | None:
    """The path of a program, or of a file that is named by its path; system folders count even where they are not in PATH."""
    if program.startswith("/"):
        return program if Path(program).exists() else None
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")


def missing(programs: Mapping[str, str]) -> list[str]:
    """Packages of programs that are not there."""
    return sorted({package for program, package in programs.items() if which(program) is None})


if __name__ == "__main__":
    for _program, _package in {**PROGRAMS, **ROOTLESS, **OUTBOUND, **BINDING}.items():
        print(f"{_program}:{_package}")
