"""Virtual machines of vSphere, in the words that libvirt turns into a VMX file (its tests: xml2vmxdata)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from .disks import Disk
from .shapes import Shape

PLACES = {"ua-root": "sda"}
LETTERS = "bcdefghijklmno"


class VSphere(Shape):
    """Disks on one SCSI controller, the seed in a CD drive; interfaces on port groups."""

    template: ClassVar[str] = "esx.xml.j2"
    disk_template: ClassVar[str] = "esx-disk.xml.j2"
    called: ClassVar[str] = "vSphere"
    known: ClassVar[frozenset[str] | None] = frozenset((
        "name", "image", "flavor", "vcpus", "memory", "max_memory", "networks", "volumes", "key_name", "ssh_keys", "user_data", "user_data_update", "ready",
        "power", "shutdown_timeout", "pool",
    ))  # fmt: skip
    reasons: ClassVar[Mapping[str, str]] = {
        "security_groups": "vSphere has no packet filters of libvirt",
        "metadata": "libvirt's driver for vSphere keeps no metadata",
        "volumes.limits": "libvirt's driver for vSphere knows no limits of disks",
    }

    def disk(self, disk: Disk, *, direct: bool) -> Disk:
        """``sda`` boots; a volume's letter is one of its name's."""
        if disk.alias == "ua-seed":
            return replace(disk, target="hda", bus="ide", device="cdrom")
        boots = disk.alias in PLACES or disk.boot
        return replace(disk, target="sda" if boots else f"sd{LETTERS[sum(disk.alias.encode()) % len(LETTERS)]}", bus="scsi")


SHAPE = VSphere()
