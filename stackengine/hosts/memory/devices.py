"""Devices of the memory host's guests that come and go: disks, controllers and interfaces, in the definition and in what runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.state import domain_in
from stackengine.hosts.memory.volumes import check_secrets
from stackengine.sdk import NotFoundError, RefusedError

_VIEWS = ("xml", "live_xml")


class DeviceCalls:
    """The hot-plug part of ``sdk.Host``."""

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def domain_attach(self, uuid: str, device_xml: str) -> None:
        """Attach a device where it is not yet; a target, a file or a MAC that is in use (27, 1) and a network that is not there are refused."""
        device = ET.fromstring(device_xml)
        with self._call("domain_attach") as state:
            known = domain_in(state, uuid)
            if device.tag == "disk":
                check_secrets(state, device)
            views = [v for v in _VIEWS if known[v] and not _has(known[v], device, device_xml)]
            for view in views if device.tag != "controller" else ():
                domain = read.parse(known[view], "domain")
                if device.tag == "disk":
                    _check_disk(state, uuid, domain, device)
                else:
                    _check_interface(state, domain, device)
            for view in views:
                known[view] = known[view].replace("</devices>", f"{device_xml}</devices>")

    def domain_detach(self, uuid: str, alias: str) -> None:
        """Detach by alias; what is not there is refused (99)."""
        with self._call("domain_detach") as state:
            known = domain_in(state, uuid)
            found = False
            for view in _VIEWS:
                root = read.parse(known[view], "domain") if known[view] else None
                device = _of_alias(root, alias) if root is not None else None
                if root is not None and device is not None:
                    devices = root.find("devices")
                    assert devices is not None
                    devices.remove(device)
                    known[view], found = ET.tostring(root, encoding="unicode"), True
            if not found:
                raise NotFoundError(f"device not found: no device with alias {alias}", code=99)


def _check_disk(state: dict[str, Any], uuid: str, domain: ET.Element, device: ET.Element) -> None:
    disk = read.disk(device)
    if any(have.target == disk.target for have in read.disks(domain)):
        raise RefusedError(f"target {disk.target} already exists", code=27)
    for other, d in state["domains"].items():
        runs = read.disks(read.parse(d["live_xml"], "domain")) if d["state"] == "running" else []
        others = (x for x in runs if other != uuid or x.alias != disk.alias)
        if any(x.path == disk.path and not (x.readonly and disk.readonly) for x in others):
            raise RefusedError(f'Failed to get "write" lock: is another process using the image [{disk.path}]?', code=1)


def _check_interface(state: dict[str, Any], domain: ET.Element, device: ET.Element) -> None:
    wrapped = ET.Element("domain")
    ET.SubElement(wrapped, "devices").append(device)
    mac, network = read.nics(wrapped)[0]
    if network not in {n["name"] for n in state["networks"].values() if n["active"]}:
        raise NotFoundError(f"Network not found: no active network with matching name '{network}'", code=43)
    if mac in dict(read.nics(domain)):
        raise RefusedError(f"unsupported configuration: MAC address {mac} is in use already", code=67)


def _has(xml: str, device: ET.Element, device_xml: str) -> bool:
    """Whether it is there already: by its alias, or word for word where it has none."""
    return _of_alias(read.parse(xml, "domain"), _alias(device)) is not None if _alias(device) else device_xml in xml


def _of_alias(domain: ET.Element, alias: str) -> ET.Element | None:
    return next((d for d in domain.findall("devices/*") if _alias(d) == alias), None)


def _alias(device: ET.Element) -> str:
    found = device.find("alias")
    return found.get("name", "") if found is not None else ""
