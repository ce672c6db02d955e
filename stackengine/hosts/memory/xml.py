"""Reads from libvirt XML what the fake needs to know."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from stackengine.sdk import RefusedError

ET.register_namespace("se", "urn:stackengine:1")

_KIB = {"b": 1 / 1024, "KiB": 1, "k": 1, "K": 1, "MiB": 1 << 10, "M": 1 << 10, "GiB": 1 << 20, "G": 1 << 20}
_BYTES = {"B": 1, "bytes": 1, "KiB": 1 << 10, "K": 1 << 10, "MiB": 1 << 20, "M": 1 << 20, "GiB": 1 << 30, "G": 1 << 30, "TiB": 1 << 40, "T": 1 << 40}


def parse(xml: str, root: str) -> ET.Element:
    """The root element; libvirt code 27 (XML error) where it is not what it should be."""
    try:
        element = ET.fromstring(xml)
    except ET.ParseError as error:
        raise RefusedError(f"XML error: {error}", code=27) from error
    if element.tag != root:
        raise RefusedError(f"XML error: unexpected root element <{element.tag}>, expecting <{root}>", code=27)
    return element


def text(element: ET.Element, path: str) -> str:
    """The text of a child, or the empty string."""
    return (element.findtext(path) or "").strip()


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of a domain."""

    path: str
    target: str
    alias: str
    readonly: bool


def disks(domain: ET.Element) -> list[Disk]:
    """The file disks."""
    return [disk(e) for e in domain.findall("devices/disk")]


def disk(element: ET.Element) -> Disk:
    """One ``<disk>``."""
    source, target, alias = element.find("source"), element.find("target"), element.find("alias")
    path = source.get("file", source.get("dev", "")) if source is not None else ""
    return Disk(path, target.get("dev", "") if target is not None else "", alias.get("name", "") if alias is not None else "", _shared(element))


def firmware_files(domain: ET.Element) -> list[str]:
    """Files of entries that the firmware gives to the guest."""
    return [e.get("file", "") for e in domain.findall("sysinfo[@type='fwcfg']/entry")]


def _shared(element: ET.Element) -> bool:
    return element.find("readonly") is not None or element.find("shareable") is not None


def nics(domain: ET.Element) -> list[tuple[str, str]]:
    """(MAC, network name) of every interface."""
    found = []
    for element in domain.findall("devices/interface"):
        mac, source = element.find("mac"), element.find("source")
        found.append((mac.get("address", "") if mac is not None else "", source.get("network", "") if source is not None else ""))
    return found


def memory_kib(domain: ET.Element) -> int:
    """``<memory>`` in KiB."""
    return _in_kib(domain.find("memory"))


def current_memory_kib(domain: ET.Element) -> int:
    """``<currentMemory>`` in KiB: what the balloon leaves to a guest that has just started."""
    return _in_kib(domain.find("currentMemory")) or memory_kib(domain)


def vcpus(domain: ET.Element) -> int:
    """vCPUs that are plugged when it starts."""
    element = domain.find("vcpu")
    return int(element.get("current") or (element.text or "1").strip()) if element is not None else 1


def _in_kib(element: ET.Element | None) -> int:
    return int(int((element.text or "0").strip()) * _KIB.get(element.get("unit", "KiB"), 1)) if element is not None else 0


def capacity(volume: ET.Element) -> int:
    """``<capacity>`` in bytes."""
    element = volume.find("capacity")
    return int(text(volume, "capacity") or 0) * _BYTES.get(element.get("unit", "bytes") if element is not None else "bytes", 1)


def subnets(network: ET.Element) -> list[str]:
    """The subnets of a network's ``<ip>`` elements."""
    found = []
    for ip in network.findall("ip"):
        address, mask = ip.get("address", ""), ip.get("netmask") or ip.get("prefix") or "24"
        found.append(str(ipaddress.ip_network(f"{address}/{mask}", strict=False)))
    return found


def reservations(network: ET.Element) -> dict[str, str]:
    """MAC -> address of the DHCP hosts."""
    return {h.get("mac", ""): h.get("ip", "") for h in network.findall("ip/dhcp/host") if h.get("mac")}
