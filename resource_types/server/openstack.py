"""A server's data as Nova tells it to guests: by the metadata service, and on a config drive (Nova's documentation: Metadata; network_data.json's schema)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .seed import instance_id, leased

LABEL = "config-2"
FOLDER = "openstack/latest"


@dataclass(frozen=True, slots=True)
class Guest:
    """What a guest is told of itself."""

    identity: Mapping[str, Any]
    stack: str
    user_data: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Name -> public key."""
    pairs: Mapping[str, str] = field(default_factory=dict)
    """The server's own metadata."""
    flavor: str = ""
    image: str = ""
    groups: tuple[str, ...] = ()
    vendor_data: str = ""
    """What it runs before its user data."""
    again: bool = False
    """Whether other user data is another instance (:func:`.seed.instance_id`)."""

    @property
    def instance(self) -> str:
        """The instance id."""
        return instance_id(self.identity, self.user_data, again=self.again)


def documents(guest: Guest) -> dict[str, str]:
    """Path -> text, below the root of the drive or of the service. Without user data there is no such file, as at Nova's."""
    found = {"meta_data.json": meta_data(guest), "network_data.json": network_data(guest.identity), "vendor_data2.json": {}}
    found["vendor_data.json"] = {"cloud-init": guest.vendor_data} if guest.vendor_data else {}
    texts = {f"{FOLDER}/{name}": json.dumps(data) for name, data in found.items()}
    return {**texts, f"{FOLDER}/user_data": guest.user_data} if guest.user_data else texts


def meta_data(guest: Guest) -> dict[str, Any]:
    """Nova's meta_data.json."""
    keys = {"public_keys": dict(guest.keys), "keys": [{"name": n, "type": "ssh", "data": k} for n, k in guest.keys.items()]} if guest.keys else {}
    named = {"uuid": guest.instance, "name": guest.identity["hostname"], "hostname": guest.identity["hostname"], "project_id": guest.stack}
    return {**named, "availability_zone": "local", "launch_index": 0, "devices": [], "meta": dict(guest.pairs), **keys}


def network_data(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Nova's network_data.json: links, what stands on them, and name servers."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    servers: list[str] = []
    for number, nic in enumerate(identity["nics"]):
        link = f"nic{number}"
        links.append({"id": link, "vif_id": link, "type": "phy", "ethernet_mac_address": nic["mac"], "mtu": None})
        on_it = [{"type": "ipv4_dhcp"}] if leased(nic) else []
        told = [s for s in (*([] if leased(nic) else [nic]), *(nic.get("more") or ())) if s["address"]]
        on_it += [_static(s, routed=not (leased(nic) and "." in s["address"])) for s in told]
        networks += [{"id": f"network{len(networks) + n}", "link": link, "network_id": nic["network"], **entry} for n, entry in enumerate(on_it)]
        servers += [s["gateway"] for s in told if s.get("gateway")]
    return {"links": links, "networks": networks, "services": [{"type": "dns", "address": a} for a in dict.fromkeys(servers)]}


def _static(seat: Mapping[str, Any], *, routed: bool) -> dict[str, Any]:
    six = ":" in seat["address"]
    size = ipaddress.ip_network(f"{seat['address']}/{seat['prefix']}", strict=False)
    ways = [("::/0" if six else "0.0.0.0/0", seat["gateway"])] if routed and seat.get("gateway") else []
    ways += [(r["destination"], r["nexthop"]) for r in seat.get("routes") or ()]
    targets = [(ipaddress.ip_network(to, strict=False), via) for to, via in ways]
    routes = [{"network": str(to.network_address), "netmask": str(to.netmask), "gateway": via} for to, via in targets]
    return {"type": "ipv6" if six else "ipv4", "ip_address": seat["address"], "netmask": str(size.netmask), "routes": routes}
