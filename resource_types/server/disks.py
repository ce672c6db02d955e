"""The disks of a server: root, seed, and the volumes that it names itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackengine import sdk

GIB = 1 << 30
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


def disk_name(identity: Mapping[str, Any]) -> str:
    """The volume of the root disk."""
    return f"{identity['name']}-root.qcow2"


def seed_prefix(identity: Mapping[str, Any]) -> str:
    """What the names of the server's seeds begin with."""
    return f"{identity['name']}-seed-"


def root_disk(ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any]) -> list[Disk]:
    """The root disk over the image's base, made or grown; none where the image is a kernel without one."""
    if not image.get("path"):
        return []
    capacity = max((want.get("disk") or 0) * GIB, int(image["capacity"]))
    name = disk_name(ctx.identity)
    found = sdk.ensure_volume(ctx, want["pool"], name, capacity, "qcow2", backing=image["path"], backing_format=image["format"])
    if found.capacity < capacity:
        ctx.host.volume_resize(want["pool"], name, capacity)
    return [Disk(found.path, "qcow2", "vda", "ua-root", boot=1)]


def own_volumes(ctx: sdk.Context, want: sdk.Properties) -> list[Disk]:
    """The volumes that the server names, the one to boot from first."""
    found: list[Disk] = []
    taken = {"vda"}
    for entry in want.get("volumes") or ():
        volume = ctx.referred(entry["volume"])
        if volume is None:
            raise sdk.FailedError(f"the volume {entry['volume']} is not part of this stack")
        alias = OWN + hashlib.sha256(entry["volume"].encode()).hexdigest()[:10]
        boots = bool(entry.get("boot"))
        target = "vda" if boots else _target(alias, taken)
        taken.add(target)
        found.append(
            Disk(volume.attributes["path"], volume.properties["format"], target, alias, sdk.serial_of(volume.path), bool(entry.get("read_only")), int(boots))
        )
    return found


def _target(alias: str, taken: set[str]) -> str:
    """A name from vdba to vdyz that stays with its volume whatever other volumes come and go; it is a label, guests name disks themselves."""
    number = int(alias.removeprefix(OWN), 16)
    while True:
        target = f"vd{chr(ord('b') + number % 24)}{chr(ord('a') + number // 24 % 26)}"
        if target not in taken:
            return target
        number += 1
