"""Guests of a libvirt host that stand still: suspended, saved with their memory, running again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import NotFoundError

_RUNNING = (1, 2)
"""VIR_DOMAIN_RUNNING, VIR_DOMAIN_BLOCKED."""
_PAUSED = 3


class PowerCalls:
    """The part of ``sdk.Host`` that stops and continues guests without their noticing."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def domain_suspend(self, uuid: str) -> None:
        """virDomainSuspend; nothing when it does not run."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.info()[0] in _RUNNING:
                domain.suspend()

        self._call("virDomainSuspend", work)

    def domain_resume(self, uuid: str) -> None:
        """virDomainResume; nothing when it is not suspended."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.info()[0] == _PAUSED:
                domain.resume()

        self._call("virDomainResume", work)

    def domain_save(self, uuid: str) -> None:
        """virDomainManagedSave: memory goes to disk; one that was suspended is suspended when it starts again. Nothing when it does not run."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.isActive():
                domain.managedSave(0)

        self._call("virDomainManagedSave", work)

    def domain_forget_memory(self, uuid: str) -> None:
        """virDomainManagedSaveRemove: the next start is a boot."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.hasManagedSaveImage(0):
                domain.managedSaveRemove(0)

        self._call("virDomainManagedSaveRemove", work)

    def domain_traffic(self, uuid: str) -> int:
        """Bytes that its interfaces received and sent since it was started; 0 when it does not run."""

        def work(c: Any) -> int:
            domain = c.lookupByUUIDString(uuid)
            if not domain.isActive():
                return 0
            targets = [t.get("dev", "") for t in ET.fromstring(domain.XMLDesc(0)).findall("devices/interface/target")]
            counted = [domain.interfaceStats(dev) for dev in targets if dev]
            return sum(max(0, c[0]) + max(0, c[4]) for c in counted)

        try:
            return int(self._call("virDomainInterfaceStats", work))
        except NotFoundError:
            return 0


def has_saved_memory(domain: Any) -> bool:
    """Whether a domain that does not run has its memory on disk."""
    try:
        return bool(domain.hasManagedSaveImage(0))
    except libvirt.libvirtError:  # a driver that knows none
        return False
