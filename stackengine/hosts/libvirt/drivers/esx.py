"""vSphere, one ESX host or one behind a vCenter: libvirt's driver for it is a client of VMware's own interface.

It keeps no metadata and takes no uploads, so nothing there could say whose it is, and no guest could be given a seed: virtual machines are described,
imported and switched, not made. Written by libvirt's documentation (drvesx) and its own tests; no vSphere was at hand.
"""

from __future__ import annotations

from typing import Any

from stackengine.hosts.libvirt.drivers import Driver
from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

FEATURES = frozenset({"snapshot", "set-memory-live", "set-vcpus-live"})


def profile(connection: Any, reach: Reach) -> Profile:  # noqa: ARG001  (drivers are asked alike)
    """What it can do."""
    return Profile("esx", "vmware", features=FEATURES, local=False, disk_bus="scsi", disk_prefix="sd")


DRIVER = Driver(profile, shutdown=(0,))
