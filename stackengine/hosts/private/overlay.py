"""Tunnels of a private host: VXLAN devices (RFC 7348) on the bridges of networks that span several hosts. Runs in the host's network namespace.

Without multicast: what has no known place goes to every peer (an entry for the null MAC in the device's table), and where a MAC is, the device
learns. A frame that came out of the tunnel never goes back into it, so every host is joined with every other and nothing loops.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stackengine.hosts.private.inside import feed, listing

PORT = 4789
"""The UDP port that IANA gave to VXLAN."""
PREFIX = "sevx"
"""Our devices: this and the VNI in hexadecimal, within the kernel's 15 characters."""
NULL_MAC = "00:00:00:00:00:00"


def device_of(vni: int) -> str:
    """The device of a tunnel."""
    return f"{PREFIX}{vni:06x}"


def changes(
    entries: Iterable[Mapping[str, Any]], links: Mapping[str, Mapping[str, Any]], peers: Mapping[str, set[str]], bridges: Mapping[str, int]
) -> tuple[list[str], list[str]]:  # fmt: skip
    """What ``ip`` and ``bridge`` are to do.

    ``links``: our devices with ``local`` and ``master``; ``peers``: to whom they flood; ``bridges``: the MTU of every bridge. The tunnel has its
    bridge's, so that guests see one MTU; where the way between hosts carries less, the kernel cuts what it sends into fragments and joins them again.
    """
    wanted = {device_of(e["vni"]): e for e in entries}
    ip, fdb = [f"link del {name}" for name in sorted(links) if name not in wanted], list[str]()
    for name, entry in sorted(wanted.items()):
        known = links.get(name)
        made = known is None or known.get("local") != entry["address"]
        if made:
            ip += [f"link del {name}"] if known is not None else []
            ip += [f"link add {name} type vxlan id {entry['vni']} local {entry['address']} dstport {PORT}"]
        if entry["bridge"] in bridges and (made or known is None or known.get("master") != entry["bridge"]):
            ip += [f"link set {name} mtu {bridges[entry['bridge']]}", f"link set {name} master {entry['bridge']}", f"link set {name} up"]
        there = set() if made else peers.get(name, set())
        fdb += [f"fdb append {NULL_MAC} dev {name} dst {p} self permanent" for p in sorted(set(entry["peers"]) - there)]
        fdb += [f"fdb del {NULL_MAC} dev {name} dst {p} self" for p in sorted(there - set(entry["peers"]))]
    return ip, fdb


def apply(entries: Iterable[Mapping[str, Any]]) -> None:
    """Bring the kernel to the entries; OSError with what it refuses. A bridge that is not there yet gets its tunnel when its network starts."""
    links = dict(_tunnels())
    wanted = list(entries)
    if not wanted and not links:
        return
    bridges = {link["ifname"]: int(link["mtu"]) for link in _links("type", "bridge")}
    ip, fdb = changes(wanted, links, {name: _peers(name) for name in links}, bridges)
    for program, lines in (("ip", ip), ("bridge", fdb)):
        if lines:
            feed([program, "-batch", "-"], "\n".join([*lines, ""]))


def _links(*which: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(listing("ip", "-json", "-details", "link", "show", *which)) or "[]")
    return [link for link in found if link.get("ifname")]


def _tunnels() -> Iterator[tuple[str, dict[str, Any]]]:
    for link in _links("type", "vxlan"):
        if link["ifname"].startswith(PREFIX):
            data = link.get("linkinfo", {}).get("info_data", {})
            yield link["ifname"], {"local": data.get("local", data.get("local6", "")), "master": link.get("master", "")}


def _peers(name: str) -> set[str]:
    found: list[dict[str, Any]] = json.loads("".join(listing("bridge", "-json", "fdb", "show", "dev", name)) or "[]")
    return {e["dst"] for e in found if e.get("mac") == NULL_MAC and "dst" in e}


def rejoin(pairs: Iterable[tuple[str, str]]) -> None:
    """Put devices of guests (device, bridge) back on bridges that were made anew; one that is gone meanwhile is left out."""
    there = {link["ifname"]: str(link.get("master", "")) for link in _links()}
    lines = [f"link set {device} master {bridge}" for device, bridge in pairs if there.get(device, bridge) != bridge and bridge in there]
    if lines:
        feed(["ip", "-batch", "-"], "\n".join([*lines, ""]))
