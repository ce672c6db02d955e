"""What changes in a running guest of a libvirt host without a device that comes or goes: limits of disks, a screen's password."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import libvirt


class TuningCalls:
    """The tuning part of ``sdk.Host``."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def domain_set_limits(self, uuid: str, target: str, limits: Mapping[str, int], *, defined: bool = False) -> None:
        """Throttle a disk, in libvirt's words; 0 is no limit."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
            if defined:
                flags |= libvirt.VIR_DOMAIN_AFFECT_CONFIG
            if flags:
                domain.setBlockIoTune(target, dict(limits), flags)

        self._call("virDomainSetBlockIoTune", work)

    def domain_update_device(self, uuid: str, device_xml: str) -> None:
        """Change a device of what runs; the definition has it already."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.isActive():
                domain.updateDeviceFlags(device_xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

        self._call("virDomainUpdateDeviceFlags", work)
