"""The driver profile of a libvirt host: what it can do, and which accelerator really runs a guest there."""

from __future__ import annotations

from pathlib import Path
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
        features |= {"metadata-service"} if reach.serves_metadata else frozenset()
        capabilities = ET.fromstring(connection.getDomainCapabilities(None, "x86_64", "q35", domain_type, 0))
        machine = capabilities.findtext("machine") or "q35"  # what q35 means on this host now: the versioned name is pinned in the instance
        features |= _hardware(capabilities, local=reach.local) | _architectures(connection)
        return Profile(domain_type, domain_type, machine=machine, features=features, undefine_flags=_flags(), local=reach.local, pools=_pools(connection))
    if driver == "test":
        return Profile("test", "test", features=_TEST, undefine_flags=0, local=False, pools=_pools(connection))
    return Profile(driver, driver, undefine_flags=libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE, local=reach.local)


def _pools(connection: Any) -> tuple[tuple[str, str], ...]:
    found = [(p.name(), ET.fromstring(p.XMLDesc(0)).get("type", "")) for p in connection.listAllStoragePools()]
    return tuple(sorted(found))


def _architectures(connection: Any) -> frozenset[str]:
    """The architectures whose guests it can run, emulated ones, too (formatcaps.html)."""
    return frozenset(f"arch-{a.get('name')}" for a in ET.fromstring(connection.getCapabilities()).findall("guest/arch"))


def _flags() -> int:
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    return int(flags)


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
