"""The domain's XML: rendered, with what the host chose before pinned, and devices that others attached kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from .sizes import memory_of, vcpus_of

CONSOLE = "console=ttyS0 quiet panic=-1 edd=off"
OTHERS = "ua-att-"
"""Prefix of the aliases of devices that other resources attach."""

ET.register_namespace("se", "urn:stackengine:1")


def definition(ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any], disk: str, seed: str, before: str) -> str:
    """The XML to define; ``before`` is the inactive XML that is there, or empty."""
    profile, memory = ctx.host.profile, memory_of(want)
    xml = ctx.render(
        "domain.xml.j2", domain_type=profile.domain_type, arch=profile.arch, machine=_machine(ctx, profile), identity=ctx.identity,
        ownership=ctx.ownership(), memory=memory, max_memory=max(memory, want.get("max_memory") or 0), vcpus=vcpus_of(want),
        kernel=image.get("kernel", ""), initrd=image.get("initrd", ""), cmdline=image.get("cmdline") or CONSOLE, disk=disk, seed=seed,
        nics=ctx.identity["nics"],
    )  # fmt: skip
    pinned = ctx.attributes.get("pinned") or {}
    if not pinned and not before:
        return xml
    root = ET.fromstring(xml)
    _pin(root, pinned.get("addresses", {}))
    _keep_others(root, before)
    return ET.tostring(root, encoding="unicode")


def _machine(ctx: sdk.Context, profile: sdk.Profile) -> str:
    pinned = ctx.attributes.get("pinned") or {}
    return str(pinned.get("machine") or profile.machine or "q35")


def pins(xml: str) -> dict[str, Any]:
    """What the host chose: the machine type, and the bus address of every device with an alias of ours."""
    root = ET.fromstring(xml)
    kind = root.find("os/type")
    addresses = {}
    for device in root.findall("devices/*"):
        alias, address = device.find("alias"), device.find("address")
        if alias is not None and address is not None and alias.get("name", "").startswith("ua-"):
            addresses[alias.get("name", "")] = dict(address.attrib)
    return {"machine": kind.get("machine", "") if kind is not None else "", "addresses": addresses}


def _pin(root: ET.Element, addresses: Mapping[str, Mapping[str, str]]) -> None:
    for device in root.findall("devices/*"):
        alias = device.find("alias")
        known = addresses.get(alias.get("name", "")) if alias is not None else None
        if known and device.find("address") is None:
            ET.SubElement(device, "address", dict(known))


def _keep_others(root: ET.Element, before: str) -> None:
    devices = root.find("devices")
    if not before or devices is None:
        return
    for device in ET.fromstring(before).findall("devices/*"):
        alias = device.find("alias")
        if alias is not None and alias.get("name", "").startswith(OTHERS):
            devices.append(device)
