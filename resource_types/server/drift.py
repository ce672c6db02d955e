"""What somebody else changed in a domain: its XML, its disks, its power."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk
from stackengine.sdk import xml

from .definition import OTHERS
from .disks import disk_name

_ELSEWHERE = frozenset(("memory", "currentMemory", "vcpu", "address"))
"""Elements that properties of their own are read from, and bus addresses, which are pinned apart: the host chooses them after the first definition."""


def _left_out(element: ET.Element) -> bool:
    alias = element.find("alias")
    others = alias is not None and alias.get("name", "").startswith(OTHERS)
    return others or element.tag in _ELSEWHERE or (element.tag == "source" and ("file" in element.attrib or "dev" in element.attrib))


def remembered(submitted: str, defined: str) -> str:
    """Of a definition, what is compared later; paths of disk files are not: layers come and go."""
    return xml.ours(submitted, defined, _left_out)


def found_in(ctx: sdk.Context, last: sdk.Properties, info: sdk.DomainInfo) -> list[dict[str, Any]]:
    """Drift of one domain, entry by entry (``sdk.ResourceType.read``)."""
    known = ctx.attributes.get("definition")
    if not known:
        return []
    found = [{"prop": f"definition.{path}", "expected": expected, "found": now} for path, expected, now in xml.edits(known, info.xml)]
    disk = disk_name(ctx.identity)
    if 'name="ua-root"' in known and ctx.host.volume_info(last["pool"], disk) is None:
        found.append({"prop": "disk", "expected": disk, "found": None, "effect": "replace"})
    return found
