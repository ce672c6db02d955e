"""What must be there before a private host can start, and how to get it. The doctor tells all of it, a start stops at the first."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackengine.hosts.private import packages

SIMULATE = "--host memory:// simulates without"
_SWITCHES = {
    "/proc/sys/user/max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces=15000"),
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
}
"""Kernel switch -> (the value that forbids user namespaces, how to allow them)."""
LEAST_IDS = 65536
FOLDERS = ("/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt")
"""Inside, the host's own folders stand in their places, so they must be there. Root's host makes those that no package brought; they stay empty."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that was looked at; ``problem`` is empty when it is there."""

    check: str
    problem: str
    detail: str = ""
    mend: str = ""


def requirements(*, outbound: bool = False, switch: bool = False) -> Iterator[Requirement]:
    """Everything that a private host of this user needs, in the order in which one would mend it."""
    plain_user = os.getuid() != 0
    need = {**packages.PROGRAMS, **(packages.ROOTLESS if plain_user else {}), **(packages.OUTBOUND if outbound else {}), **(packages.SWITCH if switch else {})}
    lacking = packages.missing(need)
    problem = f"packages are not installed: {' '.join(lacking)}" if lacking else ""
    yield Requirement("packages", problem, f"{len(need)} programs are there", f"apt-get install {' '.join(lacking)} (as root)")
    yield _binding()
    if plain_user:
        yield _folders()
        yield _switches()
        yield from _ranges()
        yield _unshare()
    yield _tun()


def _binding() -> Requirement:
    try:
        import libvirt
    except ImportError as error:
        mend = "pip install 'stackengine[libvirt]' (needs gcc, pkg-config and libvirt-dev), or make setup"
        return Requirement("libvirt binding", f"the Python binding of libvirt is not installed ({error})", "", mend)
    version = libvirt.getVersion()
    return Requirement("libvirt binding", "", f"libvirt {version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}")


def _folders() -> Requirement:
    lacking = " ".join(f for f in FOLDERS if not Path(f).is_dir())
    return Requirement("folders", f"folders are missing: {lacking}" if lacking else "", "libvirt's folders are there", f"mkdir -p {lacking} (as root)")


def _switches() -> Requirement:
    for file, (forbids, mend) in _SWITCHES.items():
        if Path(file).is_file() and Path(file).read_text().strip() == forbids:
            return Requirement("user namespaces", f"plain users may not make user namespaces ({file} is {forbids})", "", f"{mend} (as root)")
    return Requirement("user namespaces", "", "allowed to plain users")


def _ranges() -> Iterator[Requirement]:
    name = pwd.getpwuid(os.getuid()).pw_name
    for file in (Path("/etc/subuid"), Path("/etc/subgid")):
        size = range_of(file.read_text() if file.is_file() else "", name, os.getuid())
        problem = "" if size >= LEAST_IDS else f"{name} has a range of only {size} ids in {file}" if size else f"{name} has no range in {file}"
        mend = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name} (as root; a range that nobody else has)"
        yield Requirement(file.name, problem, f"{name} has {size} ids", mend)


def range_of(text: str, name: str, uid: int) -> int:
    """How many ids the first line for this user in subuid(5) gives; 0 when there is none."""
    for line in text.splitlines():
        owner, _, rest = line.partition(":")
        if owner in (name, str(uid)):
            return int(rest.partition(":")[2] or 0)
    return 0


def _unshare() -> Requirement:
    """``unshare --map-auto`` came with util-linux 2.38."""
    program = packages.which("unshare")
    if program is None:
        return Requirement("unshare", "unshare is not installed", "", "apt-get install util-linux (as root)")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    problem = "" if version >= (2, 38) else f"util-linux {version[0]}.{version[1]} is too old: a plain user needs 2.38 (unshare --map-auto)"
    return Requirement("unshare", problem, f"util-linux {version[0]}.{version[1]}", "a newer distribution (Debian 12), or start the host as root")


def _tun() -> Requirement:
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return Requirement("tun", "", "/dev/net/tun is open to this user")
    there = Path("/dev/net/tun").exists()
    mend = "chmod 0666 /dev/net/tun (as root)" if there else "modprobe tun (as root); in a container, pass the device in"
    return Requirement("tun", f"/dev/net/tun {'is closed to this user' if there else 'is not there'}: guests would get no network", "", mend)
