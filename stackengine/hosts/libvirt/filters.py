"""Packet filters of a libvirt host (nwfilter)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import FilterInfo, NotFoundError


class FilterCalls:
    """The filter part of ``sdk.Host``."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def filter_define(self, xml: str) -> FilterInfo:
        """Define or redefine."""
        return self._call("virNWFilterDefineXML", lambda c: _info(c.nwfilterDefineXML(xml)))  # type: ignore[no-any-return]

    def filter_undefine(self, uuid: str) -> None:
        """Forget the definition."""
        try:
            self._call("virNWFilterUndefine", lambda c: c.nwfilterLookupByUUIDString(uuid).undefine())
        except NotFoundError:
            return

    def filter_info(self, uuid: str) -> FilterInfo | None:
        """The filter, or None."""
        try:
            return self._call("virNWFilterLookupByUUIDString", lambda c: _info(c.nwfilterLookupByUUIDString(uuid)))  # type: ignore[no-any-return]
        except NotFoundError:
            return None

    def filter_list(self) -> list[FilterInfo]:
        """All filters."""
        return self._call("virConnectListAllNWFilters", lambda c: [_info(f) for f in c.listAllNWFilters()])  # type: ignore[no-any-return]

    def domain_set_filter(self, uuid: str, alias: str, name: str) -> None:
        """Change the filter of a running interface; libvirt compares everything else with what runs, so that is sent back as it is."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if not domain.isActive():
                return
            for interface in ET.fromstring(domain.XMLDesc(0)).findall("devices/interface"):
                named, old = interface.find("alias"), interface.find("filterref")
                if named is None or named.get("name") != alias or (old.get("filter") if old is not None else "") == name:
                    continue
                if old is not None:
                    interface.remove(old)
                if name:
                    ET.SubElement(interface, "filterref", {"filter": name})
                domain.updateDeviceFlags(ET.tostring(interface, encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)

        self._call("virDomainUpdateDeviceFlags", work)


def _info(found: Any) -> FilterInfo:
    return FilterInfo(found.UUIDString(), found.name(), found.XMLDesc(0))
