"""A server that runs from a rescue image, with its own disks attached but not booted from (Nova: rescue a server)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stackengine import sdk

from .disks import Disk

ALIAS = "ua-rescue"
_OWN = {"user_data": "", "init": None, "cmdline": None, "provisioned": None, "boot": None}
"""What belongs to the server's own system: the rescue system gets its name, keys and network only."""


def disk_name(identity: Mapping[str, Any]) -> str:
    """The volume of the rescue system's disk, where its image has one."""
    return f"{identity['name']}-rescue.qcow2"


def system(want: sdk.Properties) -> dict[str, Any]:
    """The properties of the server as its rescue system has them."""
    return {**want, **_OWN, "seed": None if want.get("seed") == "ignition" else want.get("seed")}


def disks(ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any], own: Sequence[Disk]) -> list[Disk]:
    """The rescue system's disk, over its image's base, and behind it the server's ``own``."""
    behind = [replace(disk, boot=0) for disk in own]
    if not image.get("path"):
        return behind
    name, capacity = disk_name(ctx.identity), int(image["capacity"])
    found = sdk.ensure_volume(ctx, want["pool"], name, capacity, "qcow2", backing=image["path"], backing_format=image["format"])
    return [Disk(found.path, "qcow2", "vdzy", ALIAS, "se-rescue", boot=1), *behind]
