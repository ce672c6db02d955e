"""What there is on a host, in a form that can be compared."""

from __future__ import annotations

import copy
from typing import Any
from xml.etree.ElementTree import canonicalize

from stackengine.hosts.memory import MemoryHost
from stackengine.sdk import Host

POOLS = ("default", "se-layers")


def inventory(host: Host) -> dict[str, Any]:
    """Everything on a memory host; names, states and sizes on any other. The bytes of an ISO are left out: it holds the date of its making."""
    if isinstance(host, MemoryHost):
        state = host.snapshot()
        for thing in (*state["domains"].values(), *state["networks"].values(), *state["filters"].values()):
            thing.update({k: canonicalize(thing[k], strip_text=True) for k in ("xml", "live_xml") if thing.get(k)})
        for pool in state["pools"].values():
            for name, volume in pool["volumes"].items():
                if name.endswith(".iso"):
                    volume["data"] = ""
        found = {k: state[k] for k in ("domains", "networks", "filters", "pools", "ports", "forwarding", "metadata")}
        return {**found, "secrets": state.get("secrets", {})}
    return {
        "domains": sorted((d.uuid, d.name, d.state, d.vcpus) for d in host.domain_list()),
        "networks": sorted((n.uuid, n.name, n.active, n.bridge) for n in host.network_list()),
        "filters": sorted((f.uuid, f.name) for f in host.filter_list() if f.name.startswith("se-")) if "nwfilter" in host.profile.features else [],
        "volumes": sorted((p, v.name, v.capacity) for p in POOLS if host.pool_info(p) for v in host.volume_list(p)),
        "forwarding": host.forwarding(),
        "metadata": host.served_metadata(),
        "ports": copy.deepcopy(host.published_ports()) if "publish" in host.profile.features else {},
    }


def defined(found: dict[str, Any]) -> dict[str, Any]:
    """An inventory without what only the next start of a guest brings: what runs may be larger than what is defined."""
    domains = found["domains"]
    if isinstance(domains, dict):
        domains = {uuid: {k: v for k, v in domain.items() if k != "live_xml"} for uuid, domain in domains.items()}
    return {**found, "domains": domains}


def differences(one: Any, other: Any, path: str = "") -> str:
    """Where two inventories differ, in one line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return "; ".join(d for k in keys if (d := differences(one.get(k), other.get(k), f"{path}/{k}")))
    return "" if one == other else f"{path}: {str(one)[:300]!r} became {str(other)[:300]!r}"
