"""What changes in a running guest of a libvirt host without a device that comes or goes: limits of disks, a screen's password."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

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

    def screen_port(self, uuid: str) -> int | None:
        """The VNC port of a running guest on its host's loopback; None where it has none."""

        def work(c: Any) -> int | None:
            domain = c.lookupByUUIDString(uuid)
            found = _screen(domain) if domain.isActive() else None
            return int(found.get("port", "0")) if found is not None else None

        return self._call("virDomainGetXMLDesc", work)  # type: ignore[no-any-return]

    def screen_password(self, uuid: str, password: str, seconds: int) -> None:
        """Set the password of a running guest's screen for so long; an empty one lets nobody in (formatdomain.html, graphical framebuffers)."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            found = _screen(domain) if domain.isActive() else None
            if found is None:
                return
            found.set("passwd", password)
            if seconds:
                found.set("passwdValidTo", time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + seconds)))
            domain.updateDeviceFlags(ET.tostring(found, encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)

        self._call("virDomainUpdateDeviceFlags", work)


def _screen(domain: Any) -> ET.Element | None:
    return ET.fromstring(domain.XMLDesc(0)).find("devices/graphics[@type='vnc']")
