"""What a server's image says of the machine that it wants; it stands in the image's id (SE::Image), so that it is known when the plan is made."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from stackengine import sdk

_SPECS = {
    "hw_cpu_sockets": "hw:cpu_sockets", "hw_cpu_cores": "hw:cpu_cores", "hw_cpu_threads": "hw:cpu_threads", "hw_numa_nodes": "hw:numa_nodes",
    "hw_mem_page_size": "hw:mem_page_size", "hw_watchdog_action": "hw:watchdog_action", "hw_tpm_version": "hw:tpm_version",
    "hw_firmware_type": "hw:boot_mode", "os_secure_boot": "os:secure_boot",
}  # fmt: skip
"""Glance's names for what flavors say, too (Nova: Extra Specs); the flavor's word counts."""
_OWN = {"hw_vif_model": "nic_model", "hw_machine_type": "machine", "hw_video_model": "video", "hw_architecture": "arch", "os_command_line": "cmdline"}
"""Glance's names for properties of ours."""
_USUAL = {"hw_vif_model": "virtio", "hw_disk_bus": "virtio"}
"""What a server has anyway."""


def of_image(want: sdk.Properties) -> dict[str, str]:
    """Glance's properties of the server's image that say something."""
    name = want.get("image")
    said = dict(parse_qsl(name.partition("?")[2])) if isinstance(name, str) and name.startswith("image-") else {}
    return {k: v for k, v in said.items() if _USUAL.get(k) != v}


def specs_of_image(want: sdk.Properties) -> dict[str, str]:
    """Those of them that flavors say, too, in the words of flavors."""
    return {_SPECS[k]: v for k, v in of_image(want).items() if k in _SPECS}


def with_image(want: sdk.Properties) -> dict[str, Any]:
    """The properties with what the image says, where they say nothing themselves."""
    said, found = of_image(want), dict(want)
    for theirs, ours in _OWN.items():
        if theirs in said:
            found.setdefault(ours, said[theirs])
    disk = found.get("root_disk") or {}
    if "hw_disk_bus" in said and isinstance(disk, dict) and not disk.get("bus"):
        found["root_disk"] = {**disk, "bus": said["hw_disk_bus"]}
    return found
