"""The extra specs of flavors that mean something to a server (SE::Server reads them; Nova's documentation: Extra Specs)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KNOWN = frozenset((
    "hw:cpu_sockets", "hw:cpu_cores", "hw:cpu_threads", "hw:numa_nodes", "hw:mem_page_size", "hw:watchdog_action", "hw:tpm_version", "hw:boot_mode",
    "os:secure_boot", "quota:disk_total_iops_sec", "quota:disk_read_iops_sec", "quota:disk_write_iops_sec", "quota:disk_total_bytes_sec",
    "quota:disk_read_bytes_sec", "quota:disk_write_bytes_sec",
))  # fmt: skip


def unknown(specs: Mapping[str, Any]) -> list[str]:
    """Names of specs that have no effect."""
    return sorted(str(k) for k in specs if k not in KNOWN and not str(k).startswith("hw_rng:"))
