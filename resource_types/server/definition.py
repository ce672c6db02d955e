"""The domain's XML: rendered, with what the host chose before pinned, and devices that others attached kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk
from stackengine.sdk import overlay

from . import bandwidth, hardware
from .disks import BOOT_ORDER, OWN, Disk
from .filters import filter_name, groups_of
from .identity import alias_of
from .shapes import shape_of
from .sizes import max_vcpus_of, maximum_of, memory_of, vcpus_of

CONSOLE = "console={} quiet panic=-1 edd=off"
OTHERS = "ua-att-"
"""Prefix of the aliases of devices that other resources attach."""
SPARE = 8
"""PCIe root ports for devices that are plugged later; without a free one a hot-plug is refused."""
FIXED = 3
"""Devices on root ports that every guest has: virtio-serial, rng, balloon."""
_KIB = {"KiB": 1, "MiB": 1 << 10, "GiB": 1 << 20, "bytes": 1 / 1024}

HARDWARE = "{urn:stackengine:1}hardware"
"""In the metadata, what the machine is made of: the running domain's says what it was started with."""
ET.register_namespace("se", "urn:stackengine:1")


def definition(
    ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any], disks: Sequence[Disk], before: str, pinned: Mapping[str, Any], ignition: str = "",
) -> str:  # fmt: skip
    """The XML to define; ``before`` is the inactive XML that is there, or empty; ``ignition`` the file of an Ignition config."""
    profile = ctx.host.profile
    given = len(want.get("shares") or ()) + len(want.get("pci") or ())
    ports = pinned.get("ports") or FIXED + SPARE + len(disks) + len(ctx.identity["nics"]) + given
    direct, shape, machine = bool(image.get("kernel")), shape_of(profile), hardware.architecture(want, profile, kernel=bool(image.get("kernel")))
    machine["machine"] = pinned.get("machine") or machine["machine"]
    kind = shape.kind(want, direct=direct)
    cmdline = shape.cmdline(want.get("cmdline") or image.get("cmdline") or CONSOLE.format(hardware.console_of(want, profile)), kind)
    xml = ctx.render(
        shape.template, kind=kind, identity=ctx.identity, ownership=metadata(ctx, want), memory=memory_of(want), max_memory=maximum_of(want),
        vcpus=vcpus_of(want), max_vcpus=max_vcpus_of(want), kernel=image.get("kernel", ""), initrd=image.get("initrd", ""),
        cmdline=cmdline, disks=[disk_xml(ctx, d, direct=direct) for d in disks], nics=ctx.identity["nics"], ports=ports,
        interfaces=list(interfaces(ctx, want).values()), scsi=any(d.bus == "scsi" for d in disks), screen=screen_xml(ctx, want),
        ignition=ignition, express=hardware.is_express(machine["machine"]), **machine, **hardware.values(want),
    )  # fmt: skip
    root = ET.fromstring(xml)
    if want.get("libvirt_overlay"):
        overlay.merge(root, want["libvirt_overlay"])
    _keep_others(root, before)
    _pin(root, pinned.get("addresses", {}))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def disk_xml(ctx: sdk.Context, disk: Disk, *, direct: bool = True) -> str:
    """One ``<disk>``; ``direct``: the guest boots a kernel that the host gives it."""
    shape = shape_of(ctx.host.profile)
    return ctx.render(shape.disk_template, **asdict(shape.disk(disk, direct=direct)))


def interfaces(ctx: sdk.Context, want: sdk.Properties) -> dict[str, str]:
    """Alias of every ``<interface>`` -> its XML."""
    guarded, limits = groups_of(ctx, want), bandwidth.limits_of(ctx)
    model = "" if ctx.host.profile.domain_type == "xen" else want.get("nic_model") or "virtio"
    found = {}
    for index, nic in enumerate(ctx.identity["nics"]):
        boot = BOOT_ORDER.get(want.get("boot") or "", 0) if index == 0 else 0
        alias = alias_of(nic, index)
        named = filter_name(ctx.identity, nic["mac"]) if nic["mac"] in guarded else ""
        found[alias] = ctx.render("interface.xml.j2", nic=nic, alias=alias, filter=named, limits=limits.get(nic["mac"]), model=model, boot=boot)
    return found


def aliases(xml: str, prefix: str) -> set[str]:
    """Aliases in a domain's XML that begin with ``prefix``."""
    return {name for e in ET.fromstring(xml).findall("devices/*/alias") if (name := e.get("name", "")).startswith(prefix)}


def macs(xml: str) -> set[str]:
    """The MACs of a domain's interfaces."""
    return {m.get("address", "").lower() for m in ET.fromstring(xml).findall("devices/interface/mac")}


def screen_xml(ctx: sdk.Context, want: sdk.Properties) -> str:
    """The ``<graphics>``, or nothing."""
    vnc = want.get("vnc")
    return "" if vnc is None else ctx.render("screen.xml.j2", password=vnc.get("password") or "")


def pairs_of(want: sdk.Properties) -> dict[str, str]:
    """The server's own metadata: what is not text is JSON, as Heat gives it to Nova (its client plugin, meta_serialize)."""
    return {str(k): v if isinstance(v, str) else json.dumps(v) for k, v in (want.get("metadata") or {}).items()}


def metadata(ctx: sdk.Context, want: sdk.Properties) -> str:
    """The ownership element with the server's own metadata in it."""
    pairs = pairs_of(want)
    started_with = hardware.digest(want)
    if not pairs and not started_with:
        return ctx.ownership()
    root = ET.fromstring(ctx.ownership())
    if started_with:
        ET.SubElement(root, HARDWARE).text = started_with
    for key, value in sorted(pairs.items()):
        ET.SubElement(root, "{urn:stackengine:1}meta", {"key": key}).text = value
    return ET.tostring(root, encoding="unicode")


def pins(xml: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the host chose (machine type, number of root ports, bus address of every device), what was known before it first."""
    root = ET.fromstring(xml)
    kind = root.find("os/type")
    addresses = {}
    for key, device in _keyed(root):
        address = device.find("address")
        if address is not None:
            before = known.get("addresses", {}).get(key)
            addresses[key] = before if before and before.get("type") == address.get("type") else dict(address.attrib)
    ports = len([c for c in root.findall("devices/controller") if c.get("model") == "pcie-root-port"])
    machine = kind.get("machine", "") if kind is not None else ""
    return {"machine": known.get("machine") or machine, "ports": known.get("ports") or ports, "addresses": addresses}


def _keyed(root: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Every device under a name that is the same whenever the XML is made: our alias, else what it is and the how-manieth."""
    counts: dict[str, int] = {}
    for device in root.findall("devices/*"):
        alias = device.find("alias")
        if alias is not None and alias.get("name", "").startswith("ua-"):
            yield alias.get("name", ""), device
            continue
        kind = f"{device.tag}:{device.get('type', '')}:{device.get('index', '')}"
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind}:{counts[kind]}", device


def _pin(root: ET.Element, addresses: Mapping[str, Mapping[str, str]]) -> None:
    for key, device in _keyed(root):
        known = addresses.get(key)
        if known and device.find("address") is None and _fits(device, known):
            ET.SubElement(device, "address", dict(known))


def _fits(device: ET.Element, address: Mapping[str, str]) -> bool:
    """Whether the address is still of the kind that the device has: a disk may have moved to another bus."""
    target = device.find("target") if device.tag == "disk" else None
    return target is None or (target.get("bus") in ("scsi", "sata")) == (address.get("type") == "drive")


def _keep_others(root: ET.Element, before: str) -> None:
    devices = root.find("devices")
    if not before or devices is None:
        return
    for device in ET.fromstring(before).findall("devices/*"):
        alias = device.find("alias")
        if alias is not None and alias.get("name", "").startswith(OTHERS):
            devices.append(device)


def needs_restart(live: str, wanted: str) -> bool:
    """Whether what runs lacks something of the definition that only a start brings: vCPUs, more memory at most, seed, kernel, boot disk."""
    if not live:
        return False
    runs, defined = ET.fromstring(live), ET.fromstring(wanted)
    return _kib(defined) > _kib(runs) or _start_facts(runs) != _start_facts(defined) or _attached_otherwise(runs, defined)


def _attached_otherwise(runs: ET.Element, defined: ET.Element) -> bool:
    """Whether a disk that runs is to be attached in another way, or one is to be at a controller that the machine lacks."""
    has, wanted = _attached(runs), _attached(defined)
    lacks = "scsi" in [bus for bus, *_ in wanted.values()] and runs.find("devices/controller[@type='scsi']") is None
    return lacks or any(has[alias] != wanted[alias] for alias in has.keys() & wanted.keys())


def _attached(root: ET.Element) -> dict[str, tuple[str, ...]]:
    """Alias of every volume of the server's own -> bus, serial and the driver's options."""
    found = {}
    for alias, disk in disks_of_root(root, OWN).items():
        target, driver = disk.find("target"), disk.find("driver")
        options = [driver.get(k, "") if driver is not None else "" for k in ("cache", "io", "discard")]
        found[alias] = (target.get("bus", "") if target is not None else "", disk.findtext("serial") or "", *options)
    return found


def vcpus_now(root: ET.Element) -> int:
    """vCPUs that are plugged, as a definition says."""
    element = root.find("vcpu")
    return int(element.get("current") or (element.text or "1").strip()) if element is not None else 1


def _kib(root: ET.Element) -> int:
    memory = root.find("memory")
    return int(int((memory.text or "0").strip()) * _KIB.get(memory.get("unit", "KiB"), 1)) if memory is not None else 0


def _start_facts(root: ET.Element) -> list[Any]:
    facts: list[Any] = [int((root.findtext("vcpu") or "1").strip()), root.findtext(f"metadata/*/{HARDWARE}") or ""]
    facts += [(root.findtext(f"os/{part}") or "").strip() for part in ("kernel", "initrd", "cmdline")]
    facts += [e.get("file", "") for e in root.findall("sysinfo/entry")]
    disks = []
    for disk in root.findall("devices/disk"):
        alias, source, boot = disk.find("alias"), disk.find("source"), disk.find("boot")
        if source is not None and (boot is not None or (alias is not None and alias.get("name") == "ua-seed")):
            disks.append((alias.get("name") if alias is not None else "", _started_from(source.get("file", ""))))
    for shared in root.findall("devices/filesystem"):  # a container's seed
        source, target = shared.find("source"), shared.find("target")
        if source is not None and target is not None and target.get("dir") == "/seed.tar":
            disks.append(("ua-seed", source.get("dir", "")))
    return [*facts, *sorted(disks, key=str)]


def _started_from(path: str) -> str:
    """A disk's path; of a seed without what names its network configuration, which a running guest has no need to read again."""
    return re.sub(r"-[0-9a-f]{10}\.iso$", "", path)


def disks_of(xml: str, prefix: str) -> dict[str, ET.Element]:
    """The disks whose alias begins with ``prefix``, by alias."""
    return disks_of_root(ET.fromstring(xml), prefix)


def disks_of_root(root: ET.Element, prefix: str) -> dict[str, ET.Element]:
    """The same of XML that is read already."""
    found = {}
    for disk in root.findall("devices/disk"):
        alias = disk.find("alias")
        if alias is not None and alias.get("name", "").startswith(prefix):
            found[alias.get("name", "")] = disk
    return found


def limits_in(xml: str) -> dict[str, dict[str, int]]:
    """Alias of every disk -> its limits, in libvirt's words."""
    found = {}
    for disk in ET.fromstring(xml).findall("devices/disk"):
        alias = disk.find("alias")
        if alias is not None:
            found[alias.get("name", "")] = sdk.limits_in(disk)
    return found


def same_metadata(live: str, wanted: str) -> bool:
    """Whether the running domain's metadata of ours says what ``wanted`` (an element) says."""
    element = ET.fromstring(live).find("metadata/{urn:stackengine:1}stack") if live else None
    return element is not None and _plain(element) == _plain(ET.fromstring(wanted))


def _plain(element: ET.Element) -> tuple[dict[str, str], list[tuple[str | None, str]]]:
    return dict(element.attrib), [(child.get("key"), (child.text or "").strip()) for child in element]


def defined_sizes(xml: str) -> dict[str, int]:
    """vCPUs and MiB of memory as defined: what a balloon is at the moment is no drift."""
    root = ET.fromstring(xml)
    current = root.find("currentMemory")
    if current is None:
        current = root.find("memory")
    kib = int((current.text or "0").strip()) * _KIB.get(current.get("unit", "KiB"), 1) if current is not None else 0
    return {"vcpus": vcpus_now(root), "memory": int(kib) >> 10}
