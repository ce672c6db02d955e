"""Guests of Xen, as libxl takes them: what it would ignore, or refuse only when the guest starts, is refused in the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from stackengine import sdk

from .disks import Disk
from .shapes import Shape

IN_MACHINES = {"ua-root": ("hda", "disk"), "ua-seed": ("hdc", "cdrom")}
"""Disks that firmware, or a guest without Xen's drivers, must find; the others are Xen's own also in a whole machine."""


class Xen(Shape):
    """PV, PVH and HVM. All disks go through a device model, so that it runs from the start: without one, no qcow2 disk can be plugged in later."""

    template: ClassVar[str] = "xen.xml.j2"
    called: ClassVar[str] = "Xen"
    known: ClassVar[frozenset[str] | None] = frozenset((
        "name", "image", "flavor", "vcpus", "max_vcpus", "memory", "max_memory", "disk", "networks", "volumes", "cmdline", "vm_mode", "libvirt_overlay",
        "seed", "init", "key_name", "ssh_keys", "user_data", "user_data_update", "metadata", "ready", "power", "shutdown_timeout", "pool",
    ))  # fmt: skip
    reasons: ClassVar[Mapping[str, str]] = {
        "security_groups": "Xen takes packet filters and enforces none, so a security group would be a promise only",
        "root_disk": "Xen has disks of its own kind, and ignores their limits",
        "cpu": "Xen gives guests the host's processor",
        "numa": "Xen ignores cells",
        "hugepages": "Xen ignores huge pages",
        "watchdog": "Xen ignores a watchdog",
        "vnc": "guests of Xen have their console only",
        "shares": "Xen has no shared folders",
        "pci": "devices of the host are not given to guests of Xen here",
        "volumes.read_only": "the device model of Xen refuses disks that are read only",
        "volumes.limits": "Xen ignores limits of disks",
    }

    def kind(self, want: sdk.Properties, *, direct: bool) -> str:
        """As wanted, else by what it boots."""
        return str(want.get("vm_mode") or ("pv" if direct else "hvm"))

    def cmdline(self, text: str, kind: str) -> str:
        """Xen's own console, but in a whole machine."""
        return text if kind == "hvm" else text.replace("console=ttyS0", "console=hvc0")

    def disk(self, disk: Disk, *, direct: bool) -> Disk:
        """Named as Xen's; without an order to boot in, which only a whole machine knows, and that by the kind of device."""
        if not direct and disk.alias in IN_MACHINES:
            target, device = IN_MACHINES[disk.alias]
            return replace(disk, target=target, bus="ide", device=device, boot=0, limits={})
        # never read-only: the device model refuses such a disk (QEMU 7.2: "Block node is read-only"), and the guest would be without it
        return replace(disk, target=f"xvd{disk.target.removeprefix('vd')}", bus="xen", boot=0, limits={}, read_only=False)


SHAPE = Xen()
