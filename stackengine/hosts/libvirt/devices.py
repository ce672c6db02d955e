"""What comes and goes in a guest of a libvirt host, live and in its definition: devices, memory, vCPUs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import FailedError, NotFoundError, RefusedError

POLL = 0.1
"""Seconds between two looks while a guest lets go of a device."""
DETACH_SECONDS = 30.0


class DeviceCalls:
    """The part of ``sdk.Host`` for devices of guests."""

    name: str

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def domain_attach(self, uuid: str, device_xml: str) -> None:
        """Attach, config and live; nothing when a device of that alias is there."""
        alias = _alias_of(device_xml)

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG
            if domain.isActive():
                flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
                if _device_of(domain.XMLDesc(0), alias):
                    flags &= ~libvirt.VIR_DOMAIN_AFFECT_LIVE
            if _device_of(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), alias):
                flags &= ~libvirt.VIR_DOMAIN_AFFECT_CONFIG
            if flags:
                domain.attachDeviceFlags(device_xml, flags)

        self._call("virDomainAttachDeviceFlags", work)

    def domain_detach(self, uuid: str, alias: str) -> None:
        """Detach by alias and wait until the guest has let go."""

        def work(c: Any) -> bool:
            domain = c.lookupByUUIDString(uuid)
            found = False
            for flag, view in ((libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_XML_INACTIVE), (libvirt.VIR_DOMAIN_AFFECT_LIVE, 0)):
                if flag == libvirt.VIR_DOMAIN_AFFECT_LIVE and not domain.isActive():
                    continue
                device = _device_of(domain.XMLDesc(view), alias)
                if device:
                    found = True
                    domain.detachDeviceFlags(device, flag)
            return found

        if not self._call("virDomainDetachDeviceFlags", work):
            raise NotFoundError(f"no device with alias {alias}", code=99, host=self.name, call="virDomainDetachDeviceFlags")
        end = time.monotonic() + DETACH_SECONDS
        while _device_of(self._call("virDomainGetXMLDesc", lambda c: c.lookupByUUIDString(uuid).XMLDesc(0)), alias):
            if time.monotonic() > end:
                raise FailedError(f"the guest did not let go of {alias} within {DETACH_SECONDS:g} s", hint="is it mounted in the guest?")
            time.sleep(POLL)

    def domain_set_memory(self, uuid: str, kib: int) -> None:
        """Set the balloon, live and in the definition."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG | (libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0)
            domain.setMemoryFlags(kib, flags)

        self._call("virDomainSetMemoryFlags", work)

    def domain_set_vcpus(self, uuid: str, count: int) -> None:
        """Plug vCPUs, live and in the definition."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG | (libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0)
            domain.setVcpusFlags(count, flags)

        self._call("virDomainSetVcpusFlags", work)


def _alias_of(device_xml: str) -> str:
    found = re.search(r"<alias name=['\"]([^'\"]+)['\"]", device_xml)
    if not found:
        raise RefusedError("a device needs an alias of ours")
    return found.group(1)


def _device_of(xml: str, alias: str) -> str:
    for device in ET.fromstring(xml).findall("devices/*"):
        named = device.find("alias")
        if named is not None and named.get("name") == alias:
            return ET.tostring(device, encoding="unicode")
    return ""
