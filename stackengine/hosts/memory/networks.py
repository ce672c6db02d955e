"""Networks and published ports of the memory host."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.memory import xml as read
from stackengine.sdk import ExistsError, NetworkInfo, NotFoundError, RefusedError


class NetworkCalls:
    """The network part of ``sdk.Host``."""

    uri: str

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def network_define(self, xml: str) -> NetworkInfo:
        """Define or redefine; another UUID's name or bridge is refused."""
        network = read.parse(xml, "network")
        uuid, name = read.text(network, "uuid"), read.text(network, "name")
        bridge = network.find("bridge")
        bridge_name = bridge.get("name", "") if bridge is not None else ""
        if not uuid or not name:
            raise RefusedError("XML error: a network needs uuid and name", code=27, host=self.uri)
        with self._call("network_define") as state:
            for other, known in state["networks"].items():
                if other != uuid and known["name"] == name:
                    raise RefusedError(f"operation failed: network '{name}' already exists with uuid {other}", code=9)
                if other != uuid and bridge_name and known["bridge"] == bridge_name and not _is_the_hosts(network):
                    raise ExistsError(f"internal error: bridge name '{bridge_name}' already in use.", code=1)
            old = state["networks"].get(uuid, {"active": False, "autostart": False})
            state["networks"][uuid] = {**old, "name": name, "bridge": bridge_name, "xml": xml}
            return self._network(uuid, state["networks"][uuid])

    def network_start(self, uuid: str, *, autostart: bool = True) -> None:
        """Start; a subnet that another active network has is refused."""
        with self._call("network_start") as state:
            known = self._known_network(state, uuid)
            if not known["active"]:
                mine = [ipaddress.ip_network(s) for s in read.subnets(read.parse(known["xml"], "network"))]
                for other, network in state["networks"].items():
                    if other == uuid or not network["active"]:
                        continue
                    for subnet in map(ipaddress.ip_network, read.subnets(read.parse(network["xml"], "network"))):
                        if any(subnet.version == m.version and subnet.overlaps(m) for m in mine):
                            raise RefusedError(f"internal error: Network is already in use by interface {network['bridge']}", code=1)
            known.update(active=True, autostart=autostart)

    def network_renew(self, xml: str) -> None:
        """Redefine; it is active, and guests stay on it."""
        root = read.parse(xml, "network")
        with self._call("network_renew") as state:
            self._known_network(state, read.text(root, "uuid")).update(xml=xml, active=True)

    def network_destroy(self, uuid: str) -> None:
        """Stop; refused while a running guest hangs on it (stricter than libvirt, which would cut the guest off)."""
        with self._call("network_destroy") as state:
            known = state["networks"].get(uuid)
            if known is None or not known["active"]:
                return
            for domain in state["domains"].values():
                if domain["state"] == "running" and any(n == known["name"] for _, n in read.nics(read.parse(domain["live_xml"], "domain"))):
                    raise RefusedError(f"network {known['name']} is in use by {domain['name']}", code=55)
            known["active"] = False

    def network_undefine(self, uuid: str) -> None:
        """Forget the definition."""
        with self._call("network_undefine") as state:
            state["networks"].pop(uuid, None)

    def network_info(self, uuid: str) -> NetworkInfo | None:
        """The network, or None."""
        with self._call("network_info", change=False) as state:
            known = state["networks"].get(uuid)
            return self._network(uuid, known) if known else None

    def network_list(self) -> list[NetworkInfo]:
        """All networks."""
        with self._call("network_list", change=False) as state:
            return [self._network(u, n) for u, n in state["networks"].items()]

    def network_update(self, uuid: str, command: str, section: str, xml: str) -> None:
        """Change DHCP hosts, DNS hosts or port groups of a network, in place."""
        with self._call("network_update") as state:
            known = self._known_network(state, uuid)
            root = read.parse(known["xml"], "network")
            part = ET.fromstring(xml)
            parent = {"ip-dhcp-host": root.find("ip/dhcp"), "dns-host": root.find("dns"), "portgroup": root}[section]
            if parent is None and section == "dns-host":
                parent = ET.SubElement(root, "dns")
            if parent is None:
                raise RefusedError(f"the network has no place for {section}", code=55)
            same = [e for e in parent.findall(part.tag) if _same_entry(e, part)]
            if command == "add" and any(ET.tostring(e) != ET.tostring(part) for e in same):
                raise RefusedError("operation failed: there is an existing entry with a matching field", code=55)
            if command == "modify" and not same:
                raise RefusedError("operation failed: couldn't locate an entry", code=55)
            for old in same:
                parent.remove(old)
            if command != "delete":
                parent.append(part)
            known["xml"] = ET.tostring(root, encoding="unicode")

    def network_leases(self, uuid: str) -> list[tuple[str, str]]:
        """Leases of running guests."""
        with self._call("network_leases", change=False) as state:
            return list(self._leases(state, self._known_network(state, uuid)).items())

    def _leases(self, state: dict[str, Any], network: dict[str, Any]) -> dict[str, str]:
        if not network["active"]:
            return {}
        root = read.parse(network["xml"], "network")
        reserved = read.reservations(root)
        running = [read.parse(d["live_xml"], "domain") for d in state["domains"].values() if d["state"] == "running"]
        macs = [m for domain in running for m, name in read.nics(domain) if name == network["name"]]
        found = {m: reserved[m] for m in macs if m in reserved}
        dhcp = root.find("ip/dhcp/range")
        if dhcp is not None:
            start = ipaddress.ip_address(dhcp.get("start", "0.0.0.0"))
            free = (str(start + n) for n in range(250) if str(start + n) not in reserved.values())
            found.update({m: next(free) for m in sorted(macs) if m not in found})
        return found

    # what is forwarded: recorded

    def forward(self, key: str, entries: list[dict[str, Any]]) -> None:
        """Record; a floating address of another owner is refused, as the real host would answer for one only."""
        with self._call("forward") as state:
            table = state.setdefault("forwarding", {})
            mine = {e["address"] for e in entries if e["kind"] == "floating"}
            if any(e.get("address") in mine for other, listed in table.items() if other != key for e in listed if e["kind"] == "floating"):
                raise ExistsError("the floating address stands for another guest already", code=1)
            table[key] = entries

    def unforward(self, key: str) -> None:
        """Forget."""
        with self._call("unforward") as state:
            state.get("forwarding", {}).pop(key, None)

    def serve_metadata(self, uuid: str, entry: Mapping[str, Any]) -> None:
        """Serve a guest's data."""
        with self._call("serve_metadata") as state:
            state.setdefault("metadata", {})[uuid] = dict(entry)

    def unserve_metadata(self, uuid: str) -> None:
        """Not any more."""
        with self._call("unserve_metadata") as state:
            state.get("metadata", {}).pop(uuid, None)

    def served_metadata(self) -> dict[str, dict[str, Any]]:
        """What is served."""
        with self._call("served_metadata", change=False) as state:
            return dict(state.get("metadata", {}))

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """All of it."""
        with self._call("forwarding", change=False) as state:
            return dict(state.get("forwarding", {}))

    # published ports: recorded, nothing listens

    def publish_port(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Record; another owner's port is refused."""
        with self._call("publish_port") as state:
            for other, known in state["ports"].items():
                if other != key and known[:2] == [listen, port]:
                    raise ExistsError(f"{listen}:{port} is published by {other}", code=1)
            state["ports"][key] = [listen, port, target, target_port]

    def unpublish_port(self, key: str) -> None:
        """Forget."""
        with self._call("unpublish_port") as state:
            state["ports"].pop(key, None)

    def published_ports(self) -> dict[str, tuple[str, int, str, int]]:
        """All of them."""
        with self._call("published_ports", change=False) as state:
            return {k: (v[0], v[1], v[2], v[3]) for k, v in state["ports"].items()}

    @staticmethod
    def _known_network(state: dict[str, Any], uuid: str) -> dict[str, Any]:
        known: dict[str, Any] | None = state["networks"].get(uuid)
        if known is None:
            raise NotFoundError(f"Network not found: no network with matching uuid '{uuid}'", code=43)
        return known

    @staticmethod
    def _network(uuid: str, known: dict[str, Any]) -> NetworkInfo:
        return NetworkInfo(uuid, known["name"], known["active"], known["autostart"], known["bridge"], known["xml"])


def _is_the_hosts(network: ET.Element) -> bool:
    """Whether its bridge is not made for it: several networks may be on it."""
    forward = network.find("forward")
    return forward is not None and forward.get("mode") == "bridge"


def _same_entry(one: ET.Element, other: ET.Element) -> bool:
    """As libvirt finds an entry: by any of address, MAC, name and DNS names."""
    if any(one.get(k) is not None and one.get(k) == other.get(k) for k in ("ip", "mac", "name")):
        return True
    names = {n.text for n in one.findall("hostname")}
    return any(n.text in names for n in other.findall("hostname"))
