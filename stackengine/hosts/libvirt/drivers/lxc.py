"""Containers of libvirt's LXC driver. They share the host's kernel: no firmware, no disks, no snapshots; the root is a file system in a volume."""

from __future__ import annotations

from typing import Any

from stackengine.hosts.libvirt.drivers import Driver, pools_of
from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

FEATURES = frozenset({"leases", "metadata", "upload", "signals-console"})


def profile(connection: Any, reach: Reach) -> Profile:
    """What it can do."""
    features = FEATURES | reach.features | ({"signals-http"} if reach.local else frozenset())
    return Profile("lxc", "lxc", features=features, local=reach.local, pools=pools_of(connection), disk_bus="", disk_prefix="", image_parts=("rootfs",))


DRIVER = Driver(profile, shutdown=(0,), console=0)
"""It knows no flags of undefine and console; to shut down, it signals the container's first process."""
