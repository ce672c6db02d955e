"""A domain of the host in the words of a template: sizes, interfaces on networks, disks that are volumes of a pool."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from . import definition as xml_of

POOLS = ("default", "se-layers")


def draft(host: sdk.Host, info: sdk.DomainInfo) -> sdk.Draft:
    """What a template would say; CD drives and floppies are left to the domain's own definition."""
    root, unsaid = ET.fromstring(info.xml), list[str]()
    if "urn:stackengine:1" in info.xml:
        unsaid.append("it belongs to a stack")
    networks = [_interface(i, unsaid) for i in root.findall("devices/interface")]
    disks = [d for d in root.findall("devices/disk") if d.get("device", "disk") == "disk"]
    places = _places(host) if disks else {}
    volumes = [v for d in disks if (v := _disk(d, places, unsaid)) is not None]
    if not volumes:
        unsaid.append("it has no disk in a storage pool to boot from")
    else:
        volumes[0]["boot"] = True
    if root.find("devices/hostdev") is not None:
        unsaid.append("it has a device of the host")
    properties: dict[str, Any] = {**xml_of.defined_sizes(info.xml), "networks": networks, "volumes": volumes}
    if info.state not in ("running", "paused"):
        properties["power"] = "stopped"
    return sdk.Draft(info.name, info.name, properties, tuple(dict.fromkeys(unsaid)))


def _interface(element: ET.Element, unsaid: list[str]) -> dict[str, Any]:
    mac, source, kind = element.find("mac"), element.find("source"), element.get("type", "")
    if kind != "network" or source is None:
        unsaid.append(f"it has an interface of the kind {kind}")
        return {}
    return {"network": sdk.Uses("SE::Network", source.get("network", "")), **({"mac": mac.get("address", "").lower()} if mac is not None else {})}


def _disk(element: ET.Element, places: dict[str, tuple[str, str]], unsaid: list[str]) -> dict[str, Any] | None:
    source = element.find("source")
    if source is None:
        return None
    pool, name = source.get("pool", ""), source.get("volume", "")
    path = source.get("file") or source.get("dev") or ""
    if not pool:
        pool, name = places.get(path, ("", ""))
    if not pool:
        unsaid.append(f"its disk {path or 'of the network'} is in no storage pool that is looked into ({', '.join(POOLS)})")
        return None
    read_only = {"read_only": True} if element.find("readonly") is not None else {}
    return {"volume": sdk.Uses("SE::Volume", name, {"pool": pool}), **read_only}


def _places(host: sdk.Host) -> dict[str, tuple[str, str]]:
    """(pool, volume) by path."""
    pools = [p for p in POOLS if host.pool_info(p) is not None]
    return {v.path: (pool, v.name) for pool in pools for v in host.volume_list(pool)}
