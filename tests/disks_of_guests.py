"""Words of templates with servers and volumes, and what a guest sees of its disks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from command_line import run

GIB = 1 << 30
HEAD = "heat_template_version: 2018-08-31\nresources:\n"
GUEST = "  {name}: {{type: 'SE::Server', properties: {{image: tiny, memory: 160, ready: {{gate: agent}}{more}}}}}\n"
VOLUME = "  {name}: {{type: 'SE::Volume'{policy}, properties: {{{said}}}}}\n"
ATTACHED = (
    "  {server}-{volume}: {{type: 'SE::VolumeAttachment', properties: {{server: {{get_resource: {server}}}, volume: {{get_resource: {volume}}}{more}}}}}\n"
)
DEVICE = 'for b in /sys/class/block/[vs]d*; do [ "$(cat $b/serial 2>/dev/null)" = {serial} ] && echo /dev/${{b##*/}}; done; true'


def guest(name: str, more: str = "") -> str:
    return GUEST.format(name=name, more=more)


def volume(name: str, said: str, policy: str = "") -> str:
    return VOLUME.format(name=name, said=said, policy=f", deletion_policy: {policy}" if policy else "")


def attached(server: str, name: str, more: str = "") -> str:
    return ATTACHED.format(server=server, volume=name, more=more)


def inside(state: Path, stack: str, server: str, script: str, code: int | None = 0) -> str:
    return run(state, "exec", stack, server, "--", "sh", "-c", script, code=code).strip()


def device(state: Path, stack: str, server: str, name: str) -> str:
    """The guest's name of a volume's disk, once it sees it."""
    for _ in range(50):
        found = inside(state, stack, server, DEVICE.format(serial=f"se-{name}"))
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{server} does not see {name}")


def shown(state: Path, stack: str) -> dict[str, Any]:
    return {r["path"]: r for r in json.loads(run(state, "show", stack, "--json"))["resources"]}


def content(state: Path, stack: str, server: str, name: str) -> str:
    """The file that stands in the file system of a volume."""
    disk = device(state, stack, server, name)
    return inside(state, stack, server, f"mkdir -p /mnt/{name}; grep -q ' /mnt/{name} ' /proc/mounts || mount {disk} /mnt/{name}; cat /mnt/{name}/file")
