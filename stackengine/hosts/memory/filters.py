"""Packet filters of the memory host: kept and guarded as libvirt guards them, enforced on nothing."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.state import domain_in
from stackengine.sdk import FilterInfo, RefusedError


class FilterCalls:
    """The filter part of ``sdk.Host``."""

    uri: str

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def filter_define(self, xml: str) -> FilterInfo:
        """Define or redefine; another UUID's name is refused, and so is a filter that refers to one that is not there."""
        root = read.parse(xml, "filter")
        uuid, name = read.text(root, "uuid"), root.get("name", "")
        if not uuid or not name:
            raise RefusedError("XML error: a filter needs uuid and name", code=27, host=self.uri)
        with self._call("filter_define") as state:
            filters = state.setdefault("filters", {})
            if any(known["name"] == name and other != uuid for other, known in filters.items()):
                raise RefusedError(f"operation failed: filter '{name}' already exists", code=9)
            missing = used_filters(xml) - {f["name"] for f in filters.values()}
            if missing:
                raise RefusedError(f"internal error: referenced filter '{min(missing)}' is missing", code=1)
            filters[uuid] = {"name": name, "xml": xml}
            return FilterInfo(uuid, name, xml)

    def filter_undefine(self, uuid: str) -> None:
        """Forget the definition; refused while a running guest or another filter uses it (code 55, as libvirt)."""
        with self._call("filter_undefine") as state:
            filters = state.get("filters", {})
            known = filters.get(uuid)
            if known is None:
                return
            running = [d["live_xml"] for d in state["domains"].values() if d["state"] == "running"]
            others = [f["xml"] for u, f in filters.items() if u != uuid]
            if any(known["name"] in used_filters(xml) for xml in (*running, *others)):
                raise RefusedError("Requested operation is not valid: nwfilter is in use", code=55)
            del filters[uuid]

    def filter_info(self, uuid: str) -> FilterInfo | None:
        """The filter, or None."""
        with self._call("filter_info", change=False) as state:
            known = state.get("filters", {}).get(uuid)
            return FilterInfo(uuid, known["name"], known["xml"]) if known else None

    def filter_list(self) -> list[FilterInfo]:
        """All filters."""
        with self._call("filter_list", change=False) as state:
            return [FilterInfo(u, f["name"], f["xml"]) for u, f in state.get("filters", {}).items()]

    def domain_set_filter(self, uuid: str, alias: str, name: str) -> None:
        """Change the filter of a running interface."""
        with self._call("domain_set_filter") as state:
            known = domain_in(state, uuid)
            if name:
                check_filters(state, {name})
            if known["state"] == "running":
                known["live_xml"] = _with_filter(known["live_xml"], alias, name)


def used_filters(xml: str) -> set[str]:
    """Names in ``<filterref>`` elements."""
    return set(re.findall(r"<filterref filter=['\"]([^'\"]+)['\"]", xml))


def check_filters(state: dict[str, Any], names: set[str]) -> None:
    """Refuse names of filters that are not there, as the start of a domain does."""
    missing = names - {f["name"] for f in state.get("filters", {}).values()}
    if missing:
        raise RefusedError(f"internal error: referenced filter '{min(missing)}' is missing", code=1)


def _with_filter(xml: str, alias: str, name: str) -> str:
    from xml.etree import ElementTree as ET

    root = ET.fromstring(xml)
    for interface in root.findall("devices/interface"):
        named, old = interface.find("alias"), interface.find("filterref")
        if named is not None and named.get("name") == alias:
            if old is not None:
                interface.remove(old)
            if name:
                ET.SubElement(interface, "filterref", {"filter": name})
    return ET.tostring(root, encoding="unicode")
