"""The configuration files of a private host's libvirtd."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from stackengine.hosts.private.paths import Paths

LIBVIRTD = """unix_sock_group = "root"
unix_sock_rw_perms = "0700"
auth_unix_rw = "none"
listen_tls = 0
host_uuid = "{uuid}"
"""
QEMU = """security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
remember_owner = 0
"""
"""Root is root of these namespaces only. No cgroups, so nothing of ours stays in the machine's; no security driver, as profiles are the machine's."""


def write_configuration(paths: Paths) -> None:
    """Make the folders, and the configuration where it is not there yet. libvirt's own default network is left out."""
    folder = paths.folder
    for part in ("etc", "lib/qemu", "lib/images", "lib/boot", "lib/dnsmasq", "lib/network", "log/qemu", "volumes"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (paths.cache / "qemu").mkdir(parents=True, exist_ok=True)
    etc, machine = folder / "etc", Path("/etc/libvirt")
    if not (etc / "libvirtd.conf").exists():
        for name in ("nwfilter",):
            if (machine / name).is_dir():
                shutil.copytree(machine / name, etc / name, dirs_exist_ok=True)
        (etc / "qemu.conf").write_text(QEMU)
        (etc / "virtlogd.conf").write_text("")
        (etc / "virtlockd.conf").write_text("")
        (etc / "libvirtd.conf").write_text(LIBVIRTD.format(uuid=uuid.uuid4()))
