"""The folders of a private host, and the configuration of its libvirtd."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from stackengine.hosts.private.paths import Paths
from stackengine.hosts.runtime import write_whole

LIBVIRTD = """unix_sock_group = "root"
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
listen_tls = 0
host_uuid = "{uuid}"
"""
QEMU = """security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
remember_owner = 0
"""
"""Root is root of these namespaces only (for a plain user: the user), and QEMU gets none of its privileges. No cgroups, so nothing of ours stays in
the machine's; no security driver, as profiles are the machine's; remembering owners needs extended attributes that not every file system has."""
QEMU_ROOTLESS = "namespaces = []\n"
"""libvirt's own mount namespace for each guest needs device nodes, which a plain user cannot make."""
FILTERS = Path("/usr/share/libvirt/nwfilter")
"""libvirt's own network filters (clean-traffic and its parts), as the package brings them; those in /etc only root can read."""
FOLDERS = ("etc", "lib/qemu", "lib/images", "lib/boot", "lib/dnsmasq", "lib/network", "log/qemu", "volumes")


def write_configuration(paths: Paths) -> None:
    """Make the folders, and the configuration where it is not there yet. libvirt's own default network is left out."""
    for part in FOLDERS:
        (paths.folder / part).mkdir(parents=True, exist_ok=True)
    paths.layers.mkdir(mode=0o700, parents=True, exist_ok=True)
    (paths.cache / "qemu").mkdir(parents=True, exist_ok=True)
    etc = paths.folder / "etc"
    (etc / "qemu.conf").write_text(QEMU + (QEMU_ROOTLESS if os.getuid() else ""))
    for empty in ("virtlogd.conf", "virtlockd.conf", "qemu-lockd.conf"):
        (etc / empty).touch()
    if FILTERS.is_dir() and not (etc / "nwfilter").exists():
        shutil.copytree(FILTERS, etc / "nwfilter")
    libvirtd = etc / "libvirtd.conf"
    if not libvirtd.exists():
        write_whole(libvirtd, LIBVIRTD.format(uuid=uuid.uuid4()))


def read_settings(paths: Paths) -> dict[str, Any]:
    """What is remembered of the host: ``outbound``."""
    try:
        found: dict[str, Any] = json.loads(paths.settings.read_text())
    except (FileNotFoundError, ValueError):
        return {"outbound": False}
    return found
