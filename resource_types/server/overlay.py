"""``libvirt_overlay``: a piece of libvirt's ``<domain>`` that is merged into ours, for what we do not model. It never touches identity, nor opens a host."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from stackengine import sdk

ROOT = frozenset((
    "cpu", "features", "clock", "iothreads", "memtune", "cputune", "numatune", "blkiotune", "memoryBacking", "pm", "perf", "sysinfo", "on_poweroff",
    "on_reboot", "on_crash", "keywrap", "devices", "os", "title", "description",
))  # fmt: skip
DEVICES = frozenset(("controller", "input", "sound", "video", "watchdog", "memballoon", "panic", "iommu", "audio", "hub"))
OS = frozenset(("bootmenu", "smbios", "bios"))
"""What may stand in it. Whatever names files, devices or networks of the host, or says who the domain is, does not."""
_KEYS = ("name", "type", "index", "policy", "dev", "id", "vcpu", "iothread")


def problems(text: str) -> Iterator[str]:
    """Why an overlay is not taken."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        yield f"it is no XML: {error}"
        return
    if root.tag != "domain" or root.attrib:
        yield "it is a <domain> element without attributes"
    for child in root:
        if child.tag not in ROOT:
            yield f"<{_word(child)}> is not for an overlay"
        for part, allowed in (("devices", DEVICES), ("os", OS)):
            if child.tag == part:
                yield from (f"<{part}> with <{_word(c)}> is not for an overlay" for c in child if c.tag not in allowed)


def _word(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def merge(root: ET.Element, text: str) -> None:
    """Put an overlay into ``root``: an element that is there already, by its tag and its name, type or index, is completed, others are added."""
    _merge(root, ET.fromstring(text))


def _merge(into: ET.Element, overlay: ET.Element) -> None:
    for child in overlay:
        there = next((e for e in into.findall(child.tag) if _same(e, child)), None)
        if there is None:
            into.append(child)
            continue
        there.attrib.update(child.attrib)
        if (child.text or "").strip():
            there.text = child.text
        _merge(there, child)


def _same(one: ET.Element, other: ET.Element) -> bool:
    strict = one.tag in ("controller", "feature")  # there are several of these
    return all(one.get(k) == other.get(k) or (one.get(k) is None and not strict) for k in _KEYS if k in other.attrib)


def refusals(want: sdk.Properties) -> list[sdk.Refusal]:
    """What is wrong with the overlay, where it is known."""
    text = want.get("libvirt_overlay")
    return [sdk.Refusal("libvirt_overlay", why) for why in problems(text)] if isinstance(text, str) else []
