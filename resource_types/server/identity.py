"""MACs and addresses of a server's interfaces, chosen when the plan is made."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from stackengine import sdk


def nic_identities(ids: sdk.Identities, networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per interface: mac, address, network (physical id), network_name, network_path, port (physical id or empty), prefix."""
    return [_of_port(ids, n["port"]) if n.get("port") else _own(ids, n, index) for index, n in enumerate(networks)]


def _of_port(ids: sdk.Identities, port: Any) -> dict[str, Any]:
    found = ids.referred(port)
    if found is None:
        raise sdk.RefusedError(f"the port {port} is not part of this stack")
    i = found.identity
    network = ids.referred(i["network"])
    return {"mac": i["mac"], "address": i["address"], "network": i["network"], "network_name": i["network_name"], "port": port,
            "network_path": network.path if network else i["network_name"]}  # fmt: skip


def _own(ids: sdk.Identities, nic: dict[str, Any], index: int) -> dict[str, Any]:
    subnet = ids.referred(nic.get("subnet"))
    network = ids.referred(subnet.identity["network"] if subnet else nic.get("network"))
    if network is None:
        raise sdk.RefusedError("an interface needs a network, a subnet or a port of this stack")
    mac = ids.claim("mac", [str(nic["mac"]).lower()]) if nic.get("mac") else ids.mac(f"nic{index}")
    address = ""
    if subnet is not None:
        given = nic.get("address")
        address = ids.claim("address", [given] if given else _addresses(subnet.identity["cidr"], ids.random(2, f"address{index}")))
    return {"mac": mac, "address": address, "network": network.physical_id, "network_name": network.identity["name"], "port": "",
            "network_path": network.path}  # fmt: skip


def _addresses(cidr: str, start: bytes) -> Iterable[str]:
    """Addresses of a subnet from a hashed place on; network, gateway and broadcast left out."""
    network = ipaddress.ip_network(cidr)
    size = min(network.num_addresses, 1 << 16)
    first = int.from_bytes(start, "big") % size
    skip = {0, 1, network.num_addresses - 1}
    return (str(network[n]) for n in ((first + k) % size for k in range(size)) if n not in skip)
