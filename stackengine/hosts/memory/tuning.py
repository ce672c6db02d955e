"""What changes in a running guest of the memory host without a device that comes or goes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.state import domain_in
from stackengine.sdk import RefusedError


class TuningCalls:
    """The tuning part of ``sdk.Host``."""

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def domain_set_limits(self, uuid: str, target: str, limits: Mapping[str, int], *, defined: bool = False) -> None:
        """Throttle a disk; one that is not there is refused."""
        with self._call("domain_set_limits") as state:
            known = _running(state, uuid) if not defined else domain_in(state, uuid)
            for view in ("live_xml", *(("xml",) if defined else ())):
                if known[view]:
                    known[view] = _throttled(known[view], target, limits)

    def domain_update_device(self, uuid: str, device_xml: str) -> None:
        """An interface is as it says from now on; nobody looks at a screen."""
        device = ET.fromstring(device_xml)
        with self._call("domain_update_device") as state:
            known = _running(state, uuid)
            if device.tag != "interface":
                return
            root = read.parse(known["live_xml"], "domain")
            devices, alias = root.find("devices"), device.find("alias")
            assert devices is not None
            assert alias is not None
            old = next((i for i in devices.findall("interface") if i.find(f"alias[@name='{alias.get('name')}']") is not None), None)
            if old is None:
                raise RefusedError("invalid argument: no matching device found", code=8)
            devices[list(devices).index(old)] = device
            known["live_xml"] = ET.tostring(root, encoding="unicode")


def _throttled(xml: str, target: str, limits: Mapping[str, int]) -> str:
    root = read.parse(xml, "domain")
    disk = next((d for d in root.findall("devices/disk") if d.find(f"target[@dev='{target}']") is not None), None)
    if disk is None:
        raise RefusedError(f"invalid argument: disk '{target}' was not found in the domain config", code=8)
    for old in disk.findall("iotune"):
        disk.remove(old)
    if any(limits.values()):
        tune, after = ET.Element("iotune"), [e.tag for e in disk].index("target")
        disk.insert(after + 1, tune)
        for word, value in limits.items():
            if value:
                ET.SubElement(tune, word).text = str(value)
    return ET.tostring(root, encoding="unicode")


def _running(state: dict[str, Any], uuid: str) -> dict[str, Any]:
    known = domain_in(state, uuid)
    if known["state"] not in ("running", "paused"):
        raise RefusedError("Requested operation is not valid: domain is not running", code=55)
    return known
