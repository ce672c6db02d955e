"""The driver profile of a libvirt host: what it can do, and which accelerator really runs a guest there."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

_QEMU = frozenset(
    [
        "agent",
        "channel",
        "hotplug-disk",
        "hotplug-nic",
        "set-memory-live",
        "set-vcpus-live",
        "uefi",
        "tpm",
        "nwfilter",
        "snapshot",
        "save",
        "resize-live",
        "leases",
        "console-log",
        "metadata",
        "upload",
    ]
)
_LOCAL = frozenset({"signals-http", "publish"})
_TEST = frozenset({"metadata", "snapshot", "save"})


def profile_of(connection: Any, reach: Reach) -> Profile:
    """The profile of the connection's driver."""
    driver = connection.getType().lower()
    if driver == "qemu":
        domain_type = reach.accelerator(connection)
        features = _QEMU | (_LOCAL if reach.local else frozenset()) | ({"forwarding"} if reach.forwards else frozenset())
        return Profile(domain_type, domain_type, machine=_machine(connection, domain_type), features=features, undefine_flags=_flags(), local=reach.local)
    if driver == "test":
        return Profile("test", "test", features=_TEST, undefine_flags=0, local=False)
    return Profile(driver, driver, undefine_flags=libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE, local=reach.local)


def _flags() -> int:
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    return int(flags)


def _machine(connection: Any, domain_type: str) -> str:
    """What ``q35`` means on this host now: the versioned name is pinned in the instance."""
    capabilities = ET.fromstring(connection.getDomainCapabilities(None, "x86_64", "q35", domain_type, 0))
    return capabilities.findtext("machine") or "q35"
