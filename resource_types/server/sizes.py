"""Sizes by name: OpenStack's classic flavors and EC2 instance types, as (vCPUs, MiB), in ``flavors.json``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from stackengine import sdk

DEFAULT = (1, 512)
"""Of a server that names neither a flavor nor a size."""


@cache
def flavors() -> dict[str, tuple[int, int]]:
    """Every flavor that can be named."""
    known = json.loads((Path(__file__).parent / "flavors.json").read_text("utf-8"))
    return {name: (size[0], size[1]) for name, size in known.items()}


def unknown_flavor(want: sdk.Properties) -> sdk.Refusal | None:
    """What is wrong with the flavor, if something is."""
    name = want.get("flavor")
    if not isinstance(name, str) or name in flavors():
        return None
    import difflib

    near = difflib.get_close_matches(name, flavors(), 1, 0.5)
    return sdk.Refusal("flavor", f"there is no flavor {name}", (f"did you mean {near[0]}? " if near else "") + "vcpus and memory give any size")


def _size(want: sdk.Properties) -> tuple[int, int]:
    name = want.get("flavor")
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
