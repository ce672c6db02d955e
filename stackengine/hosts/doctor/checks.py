"""The examination of a host: first what this machine brings along, then the host itself, by using it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from stackengine.hosts import check_uri
from stackengine.hosts.doctor.findings import Result
from stackengine.hosts.private import packages
from stackengine.hosts.private.launch import into_namespaces
from stackengine.hosts.private.requirements import requirements
from stackengine.sdk import HostError

LEAST_DISK = 2 << 30
"""Bytes below which the first image hardly fits."""
SOCKETS = ("/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")


def examine(uri: str, state_dir: Path) -> Iterator[Result]:
    """Everything that can be looked at; what cannot, because something that it needs is missing, is said to be skipped."""
    if uri.startswith("memory:"):
        yield Result("simulation", "ok", "memory:// simulates a host: nothing to examine")
        return
    try:
        check_uri(uri)
    except HostError as error:
        yield Result("host", "problem", str(error), error.hint)
        return
    ready = True
    for result in _private(state_dir) if uri.startswith("private:") else _libvirt(uri):
        ready = ready and result.status != "problem"
        yield result
    if not ready:
        yield Result("host", "skipped", "not opened, as something that it needs is missing")
        return
    from stackengine.hosts.doctor.opened import examine_opened

    yield from examine_opened(uri, state_dir)


def _private(state_dir: Path) -> Iterator[Result]:
    for found in requirements():
        yield Result(found.check, "problem", found.problem, found.mend) if found.problem else Result(found.check, "ok", found.detail)
    yield namespaces()
    if packages.missing(packages.OUTBOUND):
        yield Result("outbound", "warning", "slirp4netns is not installed: guests cannot reach out (--outbound)", "apt-get install slirp4netns (as root)")
    lacking = packages.missing(packages.SWITCH)
    if lacking:
        said = "Open vSwitch is not installed: no networks with VLAN tags (--switch)"
        yield Result("switch", "warning", said, f"apt-get install --no-install-recommends {' '.join(lacking)} (as root)")
    yield disk_space(state_dir)
    yield kvm_device()


def namespaces() -> Result:
    """Whether the kernel lets this user make what a private host is made of: tried."""
    command = [*into_namespaces(), "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc", "true"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Result("namespaces", "skipped", f"not tried: {error}")
    if tried.returncode == 0:
        return Result("namespaces", "ok", "namespaces of all kinds were made")
    said = tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else f"unshare ended with {tried.returncode}"
    mend = "in a container: run it privileged; elsewhere: allow user namespaces, or start the host as root; --host memory:// simulates"
    return Result("namespaces", "problem", f"the kernel refuses namespaces: {said}", mend)


def kvm_device(device: Path = Path("/dev/kvm")) -> Result:
    """Whether guests of a private host may open KVM; whether it is any good is found out by running one."""
    if not device.exists():
        mend = "enable virtualisation in the firmware, or nested virtualisation; modprobe kvm_intel or kvm_amd (as root)"
        return Result("kvm", "warning", f"there is no {device}: guests are emulated", mend)
    if _open_to_the_user_alone(device):
        return Result("kvm", "ok", f"{device} is open to this user")
    by_group = " (being in its group is not enough: inside its user namespace a user has only its own ids)" if os.access(device, os.R_OK | os.W_OK) else ""
    return Result("kvm", "warning", f"{device} is closed to this user: guests are emulated{by_group}", f"setfacl -m u:{os.getuid()}:rw {device} (as root)")


def _open_to_the_user_alone(device: Path) -> bool:
    """Readable and writable without any supplementary group: as root, as owner, for everybody, or by an access control list."""
    user, found = os.getuid(), device.stat()
    if user == 0 or found.st_mode & 0o006 == 0o006 or (found.st_uid == user and found.st_mode & 0o600 == 0o600):
        return True
    try:
        acl = os.getxattr(device, "system.posix_acl_access")
    except OSError:
        return False
    named_user, read_write = 0x02, 0o6  # struct posix_acl_xattr_entry: tag, permissions, id
    return any(tag == named_user and rights & read_write == read_write and who == user for tag, rights, who in struct.iter_unpack("<HHI", acl[4:]))


def disk_space(folder: Path) -> Result:
    """Room for images and volumes."""
    place = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(place, os.W_OK):
        return Result("disk", "problem", f"{place} cannot be written by this user", "name another folder with --state")
    free = shutil.disk_usage(place).free
    if free < LEAST_DISK:
        return Result("disk", "warning", f"{free >> 20} MiB free below {place}", "make room, or name another folder with --state")
    return Result("disk", "ok", f"{free >> 30} GiB free below {place}")


def is_local(uri: str) -> bool:
    """Whether a libvirt URI is of this machine."""
    return uri.partition("://")[2].startswith("/")


def _libvirt(uri: str) -> Iterator[Result]:
    binding = next(r for r in requirements() if r.check == "libvirt binding")
    yield Result(binding.check, "problem", binding.problem, binding.mend) if binding.problem else Result(binding.check, "ok", binding.detail)
    if not is_local(uri) or "socket=" in uri:
        return
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme == "qemu" and "/system" in uri:
        yield _socket()
        lacking = packages.missing({p: packages.PROGRAMS[p] for p in ("qemu-system-x86_64", "qemu-img", "dnsmasq")})
        if lacking:
            yield Result("packages", "problem", f"packages are not installed: {' '.join(lacking)}", f"apt-get install {' '.join(lacking)} (as root)")
        yield _apparmor()


def _socket() -> Result:
    found = [s for s in SOCKETS if Path(s).exists()]
    if not found:
        return Result(
            "socket", "problem", "libvirt's daemon does not run", "systemctl start libvirtd (as root); or use private://default, which needs no daemon"
        )
    if any(os.access(s, os.R_OK | os.W_OK) for s in found):
        return Result("socket", "ok", f"{found[0]} is open to this user")
    user = os.environ.get("USER", "USER")
    mend = f"adduser {user} libvirt (as root), then log in again; or use private://default, which needs no group"
    return Result("socket", "problem", f"{found[0]} is closed to this user", mend)


def _apparmor() -> Result:
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    if enabled.is_file() and enabled.read_text().strip() == "Y":
        return Result(
            "apparmor", "ok", "on: guests see only disks that libvirt knows of; on 'Permission denied' look for apparmor=\"DENIED\" in the kernel's log"
        )
    return Result("apparmor", "ok", "not on")
