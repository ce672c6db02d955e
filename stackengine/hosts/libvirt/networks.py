"""Networks of a libvirt host."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import NetworkInfo, NotFoundError, RefusedError

_COMMANDS = {"add": 3, "modify": 1, "delete": 2}
"""virNetworkUpdateCommand: MODIFY 1, DELETE 2, ADD_LAST 3."""
_SECTIONS = {"ip-dhcp-host": 4, "ip-dhcp-range": 5, "portgroup": 9, "dns-host": 10, "dns-txt": 11, "dns-srv": 12}
"""virNetworkUpdateSection."""
_starting = threading.Lock()


class NetworkCalls:
    """The network part of ``sdk.Host``."""

    name: str

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def network_define(self, xml: str) -> NetworkInfo:
        """Define or redefine."""
        return self._call("virNetworkDefineXML", lambda c: _info(c.networkDefineXML(xml)))  # type: ignore[no-any-return]

    def network_start(self, uuid: str, *, autostart: bool = True) -> None:
        """Start; no error when it is active."""

        def work(c: Any) -> None:
            network = c.networkLookupByUUIDString(uuid)
            if not network.isActive():
                with _starting:  # libvirt starts networks one after the other anyway, and races on bridges otherwise
                    network.create()
            network.setAutostart(1 if autostart else 0)

        self._call("virNetworkCreate", work)

    def network_destroy(self, uuid: str) -> None:
        """Stop; no error when it is not active or not there."""

        def work(c: Any) -> None:
            network = c.networkLookupByUUIDString(uuid)
            if network.isActive():
                network.destroy()

        try:
            self._call("virNetworkDestroy", work)
        except NotFoundError:
            return

    def network_undefine(self, uuid: str) -> None:
        """Undefine; no error when it is not there."""
        try:
            self._call("virNetworkUndefine", lambda c: c.networkLookupByUUIDString(uuid).undefine())
        except NotFoundError:
            return

    def network_info(self, uuid: str) -> NetworkInfo | None:
        """The network, or None."""
        try:
            return self._call("virNetworkLookupByUUIDString", lambda c: _info(c.networkLookupByUUIDString(uuid)))  # type: ignore[no-any-return]
        except NotFoundError:
            return None

    def network_list(self) -> list[NetworkInfo]:
        """All networks."""
        return self._call("virConnectListAllNetworks", lambda c: [_info(n) for n in c.listAllNetworks()])  # type: ignore[no-any-return]

    def network_update(self, uuid: str, command: str, section: str, xml: str) -> None:
        """Change a part, live and in the definition; what is so already is no error."""

        def work(c: Any) -> None:
            network = c.networkLookupByUUIDString(uuid)
            flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG | (libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE if network.isActive() else 0)
            network.update(_COMMANDS[command], _SECTIONS[section], -1, xml, flags)

        try:
            self._call("virNetworkUpdate", work)
        except RefusedError as error:
            done = ("existing" in str(error) and command == "add") or ("couldn't locate" in str(error) and command == "delete")
            if not done:
                raise

    def network_leases(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) pairs."""

        def work(c: Any) -> list[tuple[str, str]]:
            return [(lease["mac"].lower(), lease["ipaddr"]) for lease in c.networkLookupByUUIDString(uuid).DHCPLeases()]

        return self._call("virNetworkGetDHCPLeases", work)  # type: ignore[no-any-return]


def _info(network: Any) -> NetworkInfo:
    active = bool(network.isActive())
    inactive = 0 if network.connect().getType() == "TEST" else libvirt.VIR_NETWORK_XML_INACTIVE  # the test driver knows one view only
    xml = network.XMLDesc(inactive)
    try:
        bridge = network.bridgeName()
    except libvirt.libvirtError:
        bridge = ""
    return NetworkInfo(network.UUIDString(), network.name(), active, bool(network.autostart()), bridge or "", xml)


def taps_on(connection: Any, uuid: str) -> list[tuple[str, str]]:
    """(device, bridge) of the running guests on a network."""
    domains = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    if not domains:
        return []
    network = connection.networkLookupByUUIDString(uuid)
    try:
        name, bridge = network.name(), network.bridgeName()
    except libvirt.libvirtError:  # one without a bridge has no devices of guests on it
        return []
    interfaces = [i for d in domains for i in ET.fromstring(d.XMLDesc(0)).findall("devices/interface[@type='network']")]
    on = [i.find("target") for i in interfaces if (source := i.find("source")) is not None and source.get("network") == name]
    return [(str(target.get("dev")), bridge) for target in on if target is not None and target.get("dev")]
