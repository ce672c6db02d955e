"""The disks of a server: root, seed, and the volumes that it names itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from stackengine import sdk

GIB = 1 << 30
LAYERS = "se-layers"
"""The pool in which images are."""
FIRMWARE = "fw_cfg"
"""The device of a seed that is no disk: an entry that QEMU's firmware interface gives to the guest."""
BOOT_ORDER = {"network": 1, "network-last": 9}
"""Property ``boot`` -> where the first interface stands among what is booted from; disks that are behind it count from 2."""
OWN = "ua-vol-"
"""Prefix of the aliases of volumes that the server itself names."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk as it stands in the domain's XML."""

    path: str
    format: str
    target: str
    alias: str
    serial: str = ""
    read_only: bool = False
    boot: int = 0
    """Boot order; 0: not booted from."""
    bus: str = "virtio"
    device: str = "disk"
    options: Mapping[str, str] = field(default_factory=dict)
    """cache, io, discard."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """libvirt's words and numbers (formatdomain.html, element iotune)."""
    type: str = "file"
    source: str = ""
    """The ``<source>``, where it is more than the path of a file."""
    shareable: bool = False


def disk_name(identity: Mapping[str, Any]) -> str:
    """The volume of the root disk."""
    return f"{identity['name']}-root.qcow2"


def seed_prefix(identity: Mapping[str, Any]) -> str:
    """What the names of the server's seeds begin with."""
    return f"{identity['name']}-seed-"


def provisioned(want: sdk.Properties, image: Mapping[str, Any]) -> Mapping[str, Any]:
    """The disk with a first boot done that a server starts from: of the very image that it has; empty where there is none."""
    found: Mapping[str, Any] = want.get("provisioned") or {}
    return found if found.get("image") == image.get("path") else {}


def root_disk(ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any]) -> list[Disk]:
    """The root disk over the image's base, or over a disk with a first boot done, made or grown; a copy of a file system, for a container.

    None where the image is a kernel without a disk.
    """
    if image.get("rootfs"):
        base = PurePath(image["rootfs"]).name
        known = ctx.host.volume_info(LAYERS, base)
        if known is None:
            raise sdk.FailedError(f"the file system {base} is not in the pool {LAYERS}", hint="say up again: an image that is gone is made anew")
        copied = sdk.ensure_copy(ctx, want["pool"], disk_name(ctx.identity), (LAYERS, base), known.capacity, "raw")
        return [Disk(copied.path, "raw", "", "ua-root")]
    if not image.get("path"):
        return []
    below = provisioned(want, image)
    capacity = max((want.get("disk") or 0) * GIB, int(below.get("size") or image["capacity"]))
    name, backing = disk_name(ctx.identity), (below["path"], "qcow2") if below else (image["path"], image["format"])
    found = sdk.ensure_volume(ctx, want["pool"], name, capacity, "qcow2", backing=backing[0], backing_format=backing[1])
    if found.capacity < capacity:
        sdk.grow(ctx, want["pool"], name, capacity, want["shutdown_timeout"])
    how = want.get("root_disk") or {}
    bus = how.get("bus") or "virtio"
    target = "vda" if bus == "virtio" else "sda"
    return [Disk(found.path, "qcow2", target, "ua-root", how.get("serial") or "", boot=1, bus=bus, options=sdk.options_of(how), limits=sdk.limits_of(how))]


def disc(ctx: sdk.Context, want: sdk.Properties, others_boot: bool) -> list[Disk]:
    """The disc in its drive; it is booted from last. A virt machine has no SATA."""
    if not want.get("cdrom"):
        return []
    image = ctx.referred(want["cdrom"])
    if image is None:
        raise sdk.FailedError(f"the image {want['cdrom']} is not part of this stack", hint=sdk.NAME_IT)
    bus = "sata" if (want.get("arch") or ctx.host.profile.arch) == "x86_64" else "scsi"
    return [Disk(image.attributes["path"], "raw", "sdb", "ua-cdrom", read_only=True, boot=2 if others_boot else 1, bus=bus, device="cdrom")]


def behind_network(want: sdk.Properties, disks: list[Disk], image: Mapping[str, Any]) -> list[Disk]:
    """The disks in the order in which they are booted from, where the network comes first.

    FailedError for an image that is a kernel: the host gives it to the guest, which boots from nothing else.
    """
    if want.get("boot") and image.get("kernel"):
        raise sdk.FailedError("this image is a kernel, so its guest boots from no network", hint="leave out image or boot, or take an image that is a disk")
    return [replace(d, boot=d.boot + 1) if d.boot else d for d in disks] if want.get("boot") == "network" else disks


def own_volumes(ctx: sdk.Context, want: sdk.Properties) -> list[Disk]:
    """The volumes that the server names, the one to boot from first."""
    found: list[Disk] = []
    taken = {"vda"}
    for entry in want.get("volumes") or ():
        volume = ctx.referred(entry["volume"])
        if volume is None:
            raise sdk.FailedError(f"the volume {entry['volume']} is not part of this stack", hint=sdk.NAME_IT)
        alias = OWN + hashlib.sha256(entry["volume"].encode()).hexdigest()[:10]
        boots = bool(entry.get("boot"))
        bus = entry.get("bus") or "virtio"
        prefix = "vd" if bus == "virtio" else "sd"
        target = f"{prefix}a" if boots else _target(alias, taken, prefix)
        taken.add(target)
        source, read_only = sdk.disk_source(volume), bool(entry.get("read_only") or volume.properties.get("read_only"))
        found.append(
            Disk(
                volume.attributes["path"], source.format, target, alias, entry.get("serial") or sdk.serial_of(volume.path), read_only, int(boots), bus,
                options=sdk.options_of(entry), limits=sdk.limits_of(entry), type=source.type, source=source.xml, shareable=source.shareable,
            )
        )
    return found


def restarts(last: Any, want: Any) -> bool:
    """Whether a change of volumes needs a start of the guest: of how one that stays is attached, or to a bus that the machine does not have."""
    before, after = ({v["volume"]: v for v in sdk.known_list(w) if isinstance(v, dict) and isinstance(v.get("volume"), str)} for w in (last, want))
    if any(v.get("bus") == "scsi" for v in after.values()) and not any(v.get("bus") == "scsi" for v in before.values()):
        return True
    return any(before[n].get(k) != after[n].get(k) for n in before.keys() & after.keys() for k in ("bus", "serial", "cache", "io", "discard"))


def _target(alias: str, taken: set[str], prefix: str) -> str:
    """A name from vdba to vdyz (sdba to sdyz) that stays with its volume whatever other volumes come and go; it is a label, guests name disks themselves."""
    number = int(alias.removeprefix(OWN), 16)
    while True:
        target = f"{prefix}{chr(ord('b') + number % 24)}{chr(ord('a') + number // 24 % 26)}"
        if target not in taken:
            return target
        number += 1
