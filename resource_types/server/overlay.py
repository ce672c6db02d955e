"""What ``libvirt_overlay`` of a server may say: nothing that names files, devices or networks of the host, or says who the domain is."""

from __future__ import annotations

from stackengine import sdk
from stackengine.sdk import overlay

_DEVICES = ("controller", "input", "sound", "video", "watchdog", "memballoon", "panic", "iommu", "audio", "hub")
_ROOT = ("cpu", "features", "clock", "iothreads", "memtune", "cputune", "numatune", "blkiotune", "memoryBacking", "pm", "perf", "sysinfo", "on_poweroff",
         "on_reboot", "on_crash", "keywrap", "title", "description")  # fmt: skip
_OS = ("bootmenu", "smbios", "bios")
ALLOWED: overlay.Allowed = {**dict.fromkeys(_ROOT), "devices": dict.fromkeys(_DEVICES), "os": dict.fromkeys(_OS)}


def refusals(want: sdk.Properties) -> list[sdk.Refusal]:
    """What is wrong with the overlay, where it is known."""
    return overlay.refusals(want, "domain", ALLOWED)
