"""Sizes by name: OpenStack's classic flavors and EC2 instance types, as (vCPUs, MiB), in ``flavors.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from stackengine import sdk

from .hints import specs_of_image, with_image

DEFAULT = (1, 512)
"""Of a server that names neither a flavor nor a size."""
OWN = "flavor:"
"""What the id of an SE::Flavor begins with."""
LIMITS = ("total_iops", "read_iops", "write_iops", "total_bytes", "read_bytes", "write_bytes")


def specs_of(want: sdk.Properties) -> dict[str, str]:
    """What an SE::Flavor says, which stands in its id; nothing of a flavor by name."""
    name = want.get("flavor")
    return dict(parse_qsl(name.partition("?")[2])) if isinstance(name, str) and name.startswith(OWN) else {}


def with_flavor(want: sdk.Properties) -> dict[str, Any]:
    """The properties with what the flavor's extra specs (Nova's documentation: Extra Specs), then the image, say of the machine, where they say nothing."""
    said, found = {**specs_of_image(want), **specs_of(want)}, with_image(want)
    cpu = {part: int(said[f"hw:cpu_{part}"]) for part in ("sockets", "cores", "threads") if said.get(f"hw:cpu_{part}", "").isdecimal()}
    if cpu and "cpu" not in want:
        found["cpu"] = cpu
    nodes = int(said["hw:numa_nodes"]) if said.get("hw:numa_nodes", "").isdecimal() else 0
    if nodes > 1 and "numa" not in want:
        vcpus, memory = max_vcpus_of(want), maximum_of(want)
        if vcpus % nodes == 0 and memory % nodes == 0:
            found["numa"] = [{"vcpus": vcpus // nodes, "memory": memory // nodes}] * nodes
    if said.get("hw:mem_page_size") not in (None, "small", "any"):
        found.setdefault("hugepages", True)
    if said.get("hw:watchdog_action") in ("reset", "poweroff", "pause", "none"):
        found.setdefault("watchdog", said["hw:watchdog_action"])
    if said.get("hw:tpm_version"):
        found.setdefault("tpm", True)
    secure = said.get("os:secure_boot") == "required"
    if secure or said.get("hw:boot_mode") == "uefi":
        found.setdefault("firmware", "uefi-secure" if secure else "uefi")
    limits = {w: int(v) for w in LIMITS if (v := said.get(f"quota:disk_{w}_sec", "")).isdecimal()}
    if limits and "root_disk" not in want:
        found["root_disk"] = {**(found.get("root_disk") or {}), "limits": limits}
    if int(said.get("disk") or 0) and "disk" not in want:
        found["disk"] = int(said["disk"])
    return found


@cache
def flavors() -> dict[str, tuple[int, int]]:
    """Every flavor that can be named."""
    known = json.loads((Path(__file__).parent / "flavors.json").read_text("utf-8"))
    return {name: (size[0], size[1]) for name, size in known.items()}


def unknown_flavor(want: sdk.Properties) -> sdk.Refusal | None:
    """What is wrong with the flavor, if something is."""
    name = want.get("flavor")
    if not isinstance(name, str) or name in flavors() or name.startswith(OWN):
        return None
    import difflib

    near = difflib.get_close_matches(name, flavors(), 1, 0.5)
    return sdk.Refusal("flavor", f"there is no flavor {name}", (f"did you mean {near[0]}? " if near else "") + "vcpus and memory give any size")


def _size(want: sdk.Properties) -> tuple[int, int]:
    name = want.get("flavor")
    if isinstance(name, str) and name.startswith(OWN):
        said = specs_of(want)
        return int(said.get("vcpus") or DEFAULT[0]), int(said.get("memory") or DEFAULT[1])
    return flavors().get(name, DEFAULT) if isinstance(name, str) else DEFAULT


def vcpus_of(want: sdk.Properties) -> int:
    """vCPUs: as given, else by flavor."""
    given = want.get("vcpus")
    return given if isinstance(given, int) else _size(want)[0]


def max_vcpus_of(want: sdk.Properties) -> int:
    """vCPUs that the guest is started with room for."""
    given = want.get("max_vcpus")
    return max(vcpus_of(want), given if isinstance(given, int) else 0)


def memory_of(want: sdk.Properties) -> int:
    """MiB: as given, else by flavor."""
    given = want.get("memory")
    return given if isinstance(given, int) else _size(want)[1]


def maximum_of(want: sdk.Properties) -> int:
    """MiB that the guest is started with, which memory can be set below while it runs."""
    given = want.get("max_memory")
    return max(memory_of(want), given if isinstance(given, int) else 0)


def maxima(want: sdk.Properties) -> Iterator[sdk.Refusal]:
    """What a server may have at most, and is less than what it has: as given, or by a flavor that is known by now."""
    if any(sdk.has_unknown(want.get(k)) for k in ("flavor", "vcpus", "max_vcpus", "memory", "max_memory")) or unknown_flavor(want) is not None:
        return
    vcpus, memory = vcpus_of(want), memory_of(want)
    if want.get("max_vcpus") and want["max_vcpus"] < vcpus:
        yield sdk.Refusal("max_vcpus", f"{want['max_vcpus']} vCPUs at most are less than the {vcpus} that it has")
    if want.get("max_memory") and want["max_memory"] < memory:
        yield sdk.Refusal("max_memory", f"{want['max_memory']} MiB at most is less than the {memory} MiB of memory")
