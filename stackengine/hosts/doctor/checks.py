"""The examination of a host, one finding after the other."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from stackengine.hosts.doctor.accelerator import probe, remember
from stackengine.hosts.private import packages
from stackengine.sdk import HostError

Status = Literal["ok", "warning", "problem", "skipped"]
Result = tuple[str, Status, str, str]
"""(check, status, message, how to mend it)."""
LEAST_DISK = 2 << 30


def examine(uri: str, state_dir: Path) -> Iterator[Result]:
    """Everything that can be looked at; later checks are skipped when what they need is missing."""
    if uri.startswith("memory:"):
        yield ("simulation", "ok", "memory:// simulates a host: nothing to examine", "")
        return
    private = uri.startswith("private:")
    yield from _packages(private)
    yield _binding()
    if private or "//" not in uri or uri.split("//", 1)[1].startswith("/"):
        yield _tun()
        yield _apparmor(private)
        yield _disk(state_dir)
        if private and os.getuid():
            yield from _user_namespaces()
        yield _accelerator(state_dir, uri)
    yield from _host(uri, state_dir)


def _packages(private: bool) -> Iterator[Result]:
    need = {**packages.PROGRAMS, **(packages.ROOTLESS if os.getuid() else {})} if private else {"qemu-img": "qemu-utils"}
    lacking = packages.missing(need)
    if lacking:
        yield ("packages", "problem", f"not installed: {' '.join(lacking)}", f"apt-get install {' '.join(lacking)}")
    else:
        yield ("packages", "ok", f"{len(need)} programs are there", "")
    if private and packages.missing(packages.OUTBOUND):
        yield ("outbound", "warning", "slirp4netns is not installed: no way out for guests", "apt-get install slirp4netns")


def _binding() -> Result:
    try:
        import libvirt
    except ImportError as error:
        return ("libvirt binding", "problem", str(error), "make setup, or pip install 'stackengine[libvirt]' (needs libvirt-dev, gcc, pkg-config)")
    version = libvirt.getVersion()
    return ("libvirt binding", "ok", f"libvirt {version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}", "")


def _tun() -> Result:
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return ("tun", "ok", "/dev/net/tun is open to this user", "")
    return ("tun", "problem", "/dev/net/tun cannot be opened: guests get no network", "modprobe tun; chmod 0666 /dev/net/tun")


def _apparmor(private: bool) -> Result:
    if private:
        return ("apparmor", "ok", "not used by private hosts", "")
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    if enabled.is_file() and enabled.read_text().strip() == "Y":
        mend = "on 'Permission denied', look into the kernel log for apparmor=\"DENIED\""
        return ("apparmor", "warning", "AppArmor is on: disks must be files in a pool", mend)
    return ("apparmor", "ok", "not enabled", "")


def _disk(state_dir: Path) -> Result:
    place = next(p for p in (state_dir, *state_dir.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_DISK:
        return ("disk", "warning", f"{free >> 20} MiB free below {place}", "make room, or name another folder with --state")
    return ("disk", "ok", f"{free >> 30} GiB free", "")


def _user_namespaces() -> Iterator[Result]:
    limit = Path("/proc/sys/user/max_user_namespaces")
    if limit.is_file() and int(limit.read_text()) == 0:
        yield ("user namespaces", "problem", "user namespaces are switched off", "sysctl user.max_user_namespaces=15000 (as root)")
    else:
        yield ("user namespaces", "ok", "allowed", "")
    import pwd

    name = pwd.getpwuid(os.getuid()).pw_name
    for file in ("/etc/subuid", "/etc/subgid"):
        mapped = Path(file).is_file() and any(line.split(":")[0] in (name, str(os.getuid())) for line in Path(file).read_text().splitlines())
        if mapped:
            yield (Path(file).name, "ok", f"{name} has a range", "")
        else:
            mend = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name} (as root)"
            yield (Path(file).name, "problem", f"{name} has no range in {file}", mend)


def _accelerator(state_dir: Path, uri: str) -> Result:
    if packages.which("qemu-system-x86_64") is None:
        return ("accelerator", "skipped", "QEMU is not installed", "")
    start = time.monotonic()
    found = probe()
    folder = state_dir / "hosts"
    if not uri.startswith("private:"):
        import hashlib

        folder = folder / ("uri-" + hashlib.sha256(uri.encode()).hexdigest()[:12])
    remember(folder, found)
    spent = time.monotonic() - start
    if found == "kvm":
        return ("accelerator", "ok", f"a guest ran under KVM ({spent:.1f} s)", "")
    why = "a guest does not run properly under KVM here" if Path("/dev/kvm").exists() else "there is no /dev/kvm"
    mend = "enable virtualisation in the firmware, or nested virtualisation"
    return ("accelerator", "warning", f"{why}: guests run under emulation (TCG), several times slower", mend)


def _host(uri: str, state_dir: Path) -> Iterator[Result]:
    from stackengine.hosts import open_host

    start = time.monotonic()
    try:
        host = open_host(uri, state_dir)
        domains = host.domain_list()
    except (HostError, OSError) as error:
        yield ("host", "problem", str(error), getattr(error, "hint", "") or "is libvirtd running, and may this user open its socket?")
        return
    yield ("host", "ok", f"{uri} answers after {time.monotonic() - start:.1f} s, {len(domains)} domains", "")
    for pool in ("default", "se-layers"):
        info = host.pool_info(pool)
        if info is None or not info.active:
            mend = f"virsh pool-define-as {pool} dir --target /var/lib/libvirt/{pool}; virsh pool-start {pool}"
            yield (f"pool {pool}", "problem", "there is no such active pool", mend)
        else:
            yield (f"pool {pool}", "ok", f"{info.available >> 30} GiB free in {info.path}", "")
    yield ("profile", "ok", f"{host.profile.mode}, machine {host.profile.machine}, {len(host.profile.features)} features", "")
    close = getattr(host, "close", None)
    if close is not None:
        close()
