"""What of an XML definition is ours: only elements and attributes that we set are remembered, in the host's own spelling, and compared later.

A host fills in a lot (addresses, models, defaults of its version); none of that is drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

Place = tuple[str, str, str]
_NAMED = ("name", "dev", "address", "index")
"""Attributes by which elements without an alias or a MAC are told apart."""


def ours(submitted: str, defined: str, leave_out: Callable[[ET.Element], bool]) -> str:
    """``defined`` (as the host shows it right after) cut down to what stands in ``submitted``; ``leave_out`` says which elements are compared elsewhere."""
    root = _cut(ET.fromstring(submitted), ET.fromstring(defined), leave_out)
    return ET.tostring(root, encoding="unicode")


def _cut(submitted: ET.Element, defined: ET.Element, leave_out: Callable[[ET.Element], bool]) -> ET.Element:
    kept = ET.Element(defined.tag, {k: v for k, v in defined.attrib.items() if k in submitted.attrib})
    text = (defined.text or "").strip()
    if text and (submitted.text or "").strip():
        kept.text = text
    theirs = _children(defined)
    for place, child in _children(submitted).items():
        if place in theirs and not leave_out(child):
            kept.append(_cut(child, theirs[place], leave_out))
    return kept


def edits(remembered: str, current: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, as we set it, as it is) for everything that is no longer as it was set."""
    yield from _edits(ET.fromstring(remembered), ET.fromstring(current), "")


def _edits(wanted: ET.Element, found: ET.Element, path: str) -> Iterator[tuple[str, Any, Any]]:
    for name, value in wanted.attrib.items():
        if found.get(name) != value:
            yield f"{path}@{name}", value, found.get(name)
    text = (wanted.text or "").strip()
    if text and (found.text or "").strip() != text:
        yield path, text, (found.text or "").strip() or None
    theirs = _children(found)
    for place, child in _children(wanted).items():
        inside = f"{path}/{_word(place)}".lstrip("/")
        if place in theirs:
            yield from _edits(child, theirs[place], inside)
        else:
            yield inside, "there", None


def _children(element: ET.Element) -> Mapping[Place, ET.Element]:
    """Children by what they are, in whatever order they stand."""
    found: dict[Place, ET.Element] = {}
    counts: dict[tuple[str, str], int] = {}
    for child in element:
        name = _name(child)
        counts[(child.tag, name)] = number = counts.get((child.tag, name), 0) + 1
        found[(child.tag, name, str(number))] = child
    return found


def _name(element: ET.Element) -> str:
    alias, mac = element.find("alias"), element.find("mac")
    if alias is not None and alias.get("name", "").startswith("ua-"):
        return alias.get("name", "")
    if mac is not None:
        return mac.get("address", "")
    if element.tag in ("controller", "host", "meta"):
        return "/".join(v for k in ("type", *_NAMED, "mac", "ip", "key") if (v := element.get(k)))
    return element.get("type", "") if element.tag in ("channel", "serial", "console") else ""


def _word(place: Place) -> str:
    tag, name, number = place
    tag = tag.rpartition("}")[2]
    return f"{tag}[{name}]" if name else tag if number == "1" else f"{tag}[{number}]"
