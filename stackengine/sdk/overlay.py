"""``libvirt_overlay``: a piece of libvirt's XML that is merged into ours, for what a type does not model. It never says who an object is, nor opens a host.

What may stand in it is said by the type: a tree of tags, where None stands for anything below. libvirt checks the whole against its RNG schema when it
is defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.model.values import Unknown, waits_for_resources
from stackengine.sdk.facts import Refusal

Allowed = Mapping[str, "Allowed | None"]
_KEYS = ("name", "type", "index", "policy", "dev", "id", "vcpu", "iothread", "family", "service", "domain", "addr")
_SEVERAL = frozenset(("controller", "feature", "portgroup", "forwarder", "srv", "txt", "rule"))
"""Elements of which there are several, so that one without the key of another is another, and one without any is always added."""


def problems(text: str, tag: str, allowed: Allowed) -> Iterator[str]:
    """Why an overlay is not taken."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        yield f"it is no XML: {error}"
        return
    if root.tag != tag or root.attrib:
        yield f"it is a <{tag}> element without attributes"
    yield from _strange(root, allowed, "")


def _strange(element: ET.Element, allowed: Allowed, inside: str) -> Iterator[str]:
    for child in element:
        if child.tag not in allowed:
            yield f"{inside}<{child.tag.rpartition('}')[2]}> is not for an overlay"
        elif (below := allowed[child.tag]) is not None:
            yield from _strange(child, below, f"<{child.tag}> with ")


def refusals(want: Mapping[str, Any], tag: str, allowed: Allowed) -> list[Refusal]:
    """What is wrong with the property ``libvirt_overlay``; one that cannot be looked at now would come to the host unseen, and is refused."""
    text = want.get("libvirt_overlay")
    if text is None or (isinstance(text, Unknown) and not waits_for_resources(text)):  # a parameter that nobody gave yet
        return []
    if not isinstance(text, str):
        return [Refusal("libvirt_overlay", "it is not known before anything runs, or it is a secret", "an overlay is written out in the template")]
    return [Refusal("libvirt_overlay", why) for why in problems(text, tag, allowed)]


def merged(xml: str, text: str | None) -> str:
    """A document with an overlay in it; as it is where there is none."""
    if not text:
        return xml
    root = ET.fromstring(xml)
    merge(root, text)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


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
    strict = one.tag in _SEVERAL
    if strict and not any(k in other.attrib for k in _KEYS):
        return False
    return all(one.get(k) == other.get(k) or (one.get(k) is None and not strict) for k in _KEYS if k in other.attrib)
