"""Sizes by name: OpenStack's classic flavors and small EC2 instance types, as (vCPUs, MiB)."""

from __future__ import annotations

from stackengine import sdk

SIZES: dict[str, tuple[int, int]] = {
    "tiny": (1, 128), "m1.nano": (1, 128), "m1.micro": (1, 192), "m1.tiny": (1, 512), "m1.small": (1, 2048), "m1.medium": (2, 4096),
    "m1.large": (4, 8192), "m1.xlarge": (8, 16384), "t2.nano": (1, 512), "t2.micro": (1, 1024), "t2.small": (1, 2048), "t2.medium": (2, 4096),
    "t3.nano": (2, 512), "t3.micro": (2, 1024), "t3.small": (2, 2048), "t3.medium": (2, 4096), "t3.large": (2, 8192), "m5.large": (2, 8192),
    "m5.xlarge": (4, 16384), "c5.large": (2, 4096), "c5.xlarge": (4, 8192),
}  # fmt: skip
SMALLEST = (1, 128)


def _size(want: sdk.Properties) -> tuple[int, int]:
    return SIZES.get(want["flavor"], SMALLEST) if isinstance(want.get("flavor"), str) else SMALLEST


def vcpus_of(want: sdk.Properties) -> int:
    """vCPUs: as given, else by flavor."""
    given = want.get("vcpus")
    return given if isinstance(given, int) else _size(want)[0]


def memory_of(want: sdk.Properties) -> int:
    """MiB: as given, else by flavor."""
    given = want.get("memory")
    return given if isinstance(given, int) else _size(want)[1]
