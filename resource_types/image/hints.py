"""What an image says of the machine that it wants (Glance's documentation: Useful image properties), as far as it means something here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER, _SIZE = re.compile(r"[1-9]\d{0,3}"), re.compile(r"small|large|any|\d+(kB|KB|MB|GB)?")
KNOWN: dict[str, tuple[str, ...] | re.Pattern[str]] = {
    "hw_disk_bus": ("virtio", "scsi", "sata"),
    "hw_vif_model": ("virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "ne2k_pci", "pcnet"),
    "hw_machine_type": re.compile(r"q35|pc|virt|(pc-q35|pc-i440fx|virt)-[\d.]+"),
    "hw_firmware_type": ("bios", "uefi"),
    "os_secure_boot": ("required", "optional", "disabled"),
    "hw_video_model": ("virtio", "vga", "cirrus", "qxl", "bochs", "none"),
    "hw_watchdog_action": ("reset", "poweroff", "pause", "none", "disabled"),
    "hw_tpm_version": ("2.0",),
    "hw_cpu_sockets": _NUMBER, "hw_cpu_cores": _NUMBER, "hw_cpu_threads": _NUMBER, "hw_numa_nodes": _NUMBER,
    "hw_mem_page_size": _SIZE,
    "hw_architecture": ("x86_64", "aarch64"),
    "os_command_line": re.compile(r".+"),
}  # fmt: skip
"""Name -> the values that servers take up."""
ALWAYS = {"hw_scsi_model": "virtio-scsi", "hw_rng_model": "virtio", "hw_qemu_guest_agent": "yes", "hw_tpm_model": ""}
"""What every server has: that value, or (empty) whatever is said."""
_TRUE = ("yes", "true", "1")


def taken(properties: Mapping[str, Any]) -> dict[str, str]:
    """Those that change a server, as text."""
    said = {str(k): str(v) for k, v in properties.items()}
    return {k: said[k] for k in sorted(said) if k in KNOWN and _is(said[k], KNOWN[k])}


def without_effect(properties: Mapping[str, Any]) -> Iterator[str]:
    """Of properties of the machine, those that change nothing here, each with its reason; what is for people is passed over."""
    for name, value in properties.items():
        text, known = str(value), KNOWN.get(str(name))
        if known is not None and not _is(text, known):
            yield f"{name}: {text}" + (f" ({', '.join(known)} would be taken up)" if isinstance(known, tuple) else "")
        elif name in ALWAYS and ALWAYS[name] not in ("", text) and not (ALWAYS[name] == "yes" and text.lower() in _TRUE):
            yield f"{name}: {text} (servers have {ALWAYS[name]})"
        elif known is None and name not in ALWAYS and str(name).startswith("hw_"):
            yield str(name)


def _is(text: str, known: tuple[str, ...] | re.Pattern[str]) -> bool:
    return text in known if isinstance(known, tuple) else known.fullmatch(text) is not None
