"""What changes in a running guest of the memory host without a device that comes or goes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.memory import xml as read
from stackengine.sdk import NotFoundError, RefusedError


class TuningCalls:
    """The tuning part of ``sdk.Host``."""

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def domain_set_limits(self, uuid: str, target: str, limits: Mapping[str, int]) -> None:
        """Throttle a disk; one that is not there is refused."""
        with self._call("domain_set_limits") as state:
            known = _running(state, uuid)
            root = read.parse(known["live_xml"], "domain")
            disk = next((d for d in root.findall("devices/disk") if d.find(f"target[@dev='{target}']") is not None), None)
            if disk is None:
                raise RefusedError(f"invalid argument: disk '{target}' was not found in the domain config", code=8)
            for old in disk.findall("iotune"):
                disk.remove(old)
            tune = ET.SubElement(disk, "iotune")
            for word, value in limits.items():
                if value:
                    ET.SubElement(tune, word).text = str(value)
            known["live_xml"] = ET.tostring(root, encoding="unicode")

    def domain_update_device(self, uuid: str, device_xml: str) -> None:
        """Nobody looks at its screen."""
        with self._call("domain_update_device") as state:
            _running(state, uuid)
            ET.fromstring(device_xml)


def _running(state: dict[str, Any], uuid: str) -> dict[str, Any]:
    known: dict[str, Any] | None = state["domains"].get(uuid)
    if known is None:
        raise NotFoundError(f"Domain not found: no domain with matching uuid '{uuid}'", code=42)
    if known["state"] not in ("running", "paused"):
        raise RefusedError("Requested operation is not valid: domain is not running", code=55)
    return known
