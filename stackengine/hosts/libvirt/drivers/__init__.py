"""What libvirt's drivers can do, a module each: the profile that plans go by, and the few calls that they want made differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

MANAGED_SAVE = 1
"""VIR_DOMAIN_UNDEFINE_MANAGED_SAVE."""
KNOWN = {"qemu": "qemu", "test": "plain", "xen": "xen", "lxc": "lxc", "esx": "esx", "vpx": "esx"}
"""virConnectGetType, in lower case -> the driver's module."""


@dataclass(frozen=True, slots=True)
class Driver:
    """One of libvirt's drivers."""

    profile: Callable[[Any, Reach], Profile]
    """Of a connection."""
    shutdown: tuple[int, ...] = (1 << 1, 1 << 0)
    """Flags of virDomainShutdownFlags, tried in this order (AGENT, ACPI); 0: whatever the driver does by itself."""
    console: int = 1
    """Flags of virDomainOpenConsole (FORCE: whoever has it loses it)."""
    hidden: frozenset[str] = frozenset()
    """UUIDs of domains that are no guests."""


def pools_of(connection: Any) -> tuple[tuple[str, str], ...]:
    """(name, kind) of its storage pools."""
    return tuple(sorted((p.name(), ET.fromstring(p.XMLDesc(0)).get("type", "")) for p in connection.listAllStoragePools()))


def driver_of(connection: Any) -> Driver:
    """The driver behind a connection."""
    name = KNOWN.get(connection.getType().lower(), "plain")
    found: Driver = import_module(f"{__name__}.{name}").DRIVER
    return found
