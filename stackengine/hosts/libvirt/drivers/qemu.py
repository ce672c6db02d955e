"""QEMU, with KVM or without."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.libvirt.drivers import MANAGED_SAVE, Driver, pools_of
from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

FEATURES = frozenset(
    [
        "agent",
        "channel",
        "hotplug-disk",
        "hotplug-nic",
        "set-memory-live",
        "set-vcpus-live",
        "nwfilter",
        "snapshot",
        "save",
        "copy-live",
        "resize-live",
        "leases",
        "console-log",
        "metadata",
        "upload",
        "migrate",
    ]
)
UNDEFINE = MANAGED_SAVE | 1 << 1 | 1 << 2 | 1 << 4
"""And SNAPSHOTS_METADATA, NVRAM, CHECKPOINTS_METADATA."""


def profile(connection: Any, reach: Reach) -> Profile:
    """What it can do; the accelerator is the one that ran a guest."""
    domain_type = reach.accelerator(connection)
    features = FEATURES | reach.features | ({"signals-http"} if reach.local else frozenset())
    capabilities = ET.fromstring(connection.getDomainCapabilities(None, "x86_64", "q35", domain_type, 0))
    machine = capabilities.findtext("machine") or "q35"  # what q35 means on this host now: the versioned name is pinned in the instance
    features |= {"metadata-service"} if reach.serves_metadata else frozenset()
    features |= _hardware(capabilities, local=reach.local) | _architectures(connection)
    pools = pools_of(connection)
    return Profile(domain_type, domain_type, machine=machine, features=features, undefine_flags=UNDEFINE, local=reach.local, pools=pools)


def _architectures(connection: Any) -> frozenset[str]:
    """The architectures whose guests it can run, emulated ones, too (formatcaps.html)."""
    return frozenset(f"arch-{a.get('name')}" for a in ET.fromstring(connection.getCapabilities()).findall("guest/arch"))


def _hardware(capabilities: ET.Element, *, local: bool) -> frozenset[str]:
    """What depends on packages and modules of the host (formatdomaincaps.html)."""
    found = set()
    if any(v.text == "efi" for v in capabilities.findall("os/enum[@name='firmware']/value")):
        found.add("uefi")
    if any(v.text == "emulator" for v in capabilities.findall("devices/tpm/enum[@name='backendModel']/value")):
        found.add("tpm")
    kinds = {v.text for v in capabilities.findall("devices/filesystem/enum[@name='driverType']/value")}
    found |= {ours for theirs, ours in (("path", "9p"), ("virtiofs", "virtiofs")) if theirs in kinds}
    if not local or Path("/dev/vhost-vsock").exists():
        found.add("vsock")
    return frozenset(found)


DRIVER = Driver(profile)
