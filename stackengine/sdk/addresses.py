"""Subnets and addresses that a type may propose: in an order that starts at a hashed place, so that two stacks rarely want the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackengine.model.values import has_unknown
from stackengine.sdk.context import Identities
from stackengine.sdk.errors import RefusedError
from stackengine.sdk.facts import Referred, Refusal

LARGEST = 1 << 16
"""Addresses of a subnet that are looked at."""
FIRST_LEASE = 10
"""Host number at which a DHCP range starts when none is given."""


@dataclass(frozen=True, slots=True)
class Range:
    """An address range of a network, checked; ``pools`` are (first, last) addresses that may be given out."""

    cidr: str
    gateway: str
    prefix: int
    version: int
    pools: tuple[tuple[str, str], ...]
    pools_given: bool = False


def free_subnets(start: bytes, family: str = "ipv4", ranges: Sequence[str] = ()) -> Iterator[str]:
    """The subnets (/24 of IPv4, /64 of IPv6) of ``ranges``, from a hashed place on; a range that is smaller is one subnet.

    Without ranges: those of 10.64.0.0/10, or of one unique local prefix (RFC 4193). ``start`` is 7 bytes for IPv6.
    """
    first = int.from_bytes(start[:2], "big")
    if ranges:
        return _subnets_of(first, [ipaddress.ip_network(r) for r in ranges], 64 if family == "ipv6" else 24)
    if family == "ipv6":
        site = f"fd{start[2]:02x}:{start[3]:02x}{start[4]:02x}:{start[5]:02x}{start[6]:02x}"
        return (str(ipaddress.ip_network(f"{site}:{(first + n) % 65536:x}::/64")) for n in range(65536))
    return (f"10.{64 + (first + n) // 256 % 64}.{(first + n) % 256}.0/24" for n in range(64 * 256))


def open_subnets(ids: Identities, family: str) -> Iterator[str]:
    """The subnets to try where a template leaves the choice open: of the owner's ranges, in an order of this stack's own."""
    return free_subnets(ids.random(7, "cidr"), family, ids.pools.ranges(6 if family == "ipv6" else 4))


def _subnets_of(first: int, ranges: Sequence[Any], size: int) -> Iterator[str]:
    counts = [1 << min(max(size - r.prefixlen, 0), 16) for r in ranges]
    for step in range(sum(counts)):
        index = (first + step) % sum(counts)
        for network, count in zip(ranges, counts, strict=True):
            if index < count:
                prefix = max(size, network.prefixlen)
                yield str(type(network)((int(network.network_address) + (index << (network.max_prefixlen - prefix)), prefix)))
                break
            index -= count


def normal_subnet(text: str) -> str:
    """``text`` as a subnet in normal form; RefusedError with a hint when it is none or too small for a gateway and a guest."""
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise RefusedError(f"{text} is not a subnet: {error}", hint="a subnet is written like 10.20.30.0/24") from error
    if found.num_addresses < 4:
        raise RefusedError(f"{text} has no room for a gateway and a guest", hint="30 bits of prefix at most")
    return str(found)


def subnet_range(cidr: str, gateway: str = "", pools: Sequence[dict[str, Any]] = ()) -> Range:
    """A subnet with its gateway (left out: the first address) and pools; RefusedError when they lie outside of it."""
    network = ipaddress.ip_network(cidr)
    router = gateway or str(network[1])
    _inside(router, network, "the gateway")
    found = []
    for pool in pools:
        for end in ("start", "end"):
            _inside(str(pool[end]), network, f"the {end} of a pool")
        if int(ipaddress.ip_address(pool["start"])) > int(ipaddress.ip_address(pool["end"])):
            raise RefusedError(f"the pool {pool['start']}-{pool['end']} ends before it starts")
        found.append((str(pool["start"]), str(pool["end"])))
    if network.version == 6 and network.num_addresses >= 2 * LARGEST:  # clients of DHCPv6 have DUIDs of their own choice, so theirs are others than ours
        standard = (str(network[LARGEST]), str(network[2 * LARGEST - 1]))
    else:
        last = network[-2] if network.num_addresses <= LARGEST else network[LARGEST - 2]
        standard = (str(network[min(FIRST_LEASE, network.num_addresses // 2)]), str(last))
    return Range(str(network), router, network.prefixlen, network.version, tuple(found) or (standard,), bool(found))


def range_faults(want: Mapping[str, Any]) -> list[Refusal]:
    """What is wrong with ``cidr``, ``gateway`` and ``pools`` of a type whatever the host is; what is not known yet is not looked at."""
    cidr, gateway, pools = want.get("cidr"), want.get("gateway"), want.get("pools")
    if not isinstance(cidr, str) or "/" not in cidr:
        return []
    found = []
    try:
        normal = normal_subnet(cidr)
    except RefusedError as error:
        return [Refusal("cidr", str(error), error.hint)]
    for prop, router, spans in (("gateway", gateway, ()), ("pools", "", pools)):
        if not isinstance(router, str) or not isinstance(spans, (list, tuple)) or has_unknown(list(spans)):
            continue
        try:
            subnet_range(normal, router, spans)
        except RefusedError as error:
            found.append(Refusal(prop, str(error), error.hint))
    return found


def free_addresses(of: Range, start: bytes, given: str = "") -> Iterator[str]:
    """The addresses to try: the given one only, else those of the pools that the author named, else all; never network, gateway or broadcast."""
    network = ipaddress.ip_network(of.cidr)
    if given:
        _inside(given, network, "the address")
        return iter([str(ipaddress.ip_address(given))])
    if of.pools_given:
        spans = [(int(ipaddress.ip_address(a)), int(ipaddress.ip_address(b))) for a, b in of.pools]
    else:
        spans = [(int(network[1]), int(network[min(network.num_addresses, LARGEST) - 2]))]
    return _rotated(network, spans, of.gateway, start)


def take_address(ids: Identities, place: Referred, salt: str = "address", given: str = "") -> dict[str, Any]:
    """An address of a network or subnet (``place``), claimed, with what a guest needs to use it: prefix, gateway, dhcp, routes.

    RefusedError when the place has no range, or ``given`` is not in it.
    """
    if "cidr" not in place.identity:
        raise RefusedError(f"the network {place.path} has no address range" + (f" for {given}" if given else ""), hint="give it a subnet, or a cidr of its own")
    found = subnet_range(place.identity["cidr"], place.identity["gateway"], place.properties.get("pools") or ())
    address = ids.claim("address", free_addresses(found, ids.random(2, salt), given))
    seat: dict[str, Any] = {"address": address, "prefix": found.prefix, "gateway": found.gateway, "dhcp": bool(place.properties.get("dhcp", True))}
    return {**seat, "routes": place.properties["routes"]} if place.properties.get("routes") else seat


def further_addresses(ids: Identities, place: Referred, salt: str, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """More addresses of one interface, as :func:`take_address` gives them, each with its ``subnet``; one that names none has the range of ``place``."""
    found = []
    for number, entry in enumerate(wanted):
        subnet = ids.referred(entry["subnet"]) if entry.get("subnet") else None
        seat = take_address(ids, subnet or place, f"{salt}:{number}", entry.get("address") or "")
        found.append({**seat, "subnet": subnet.physical_id if subnet else ""})
    return found


def addresses_had(network: str, addresses: Iterable[str], kind: str = "address") -> frozenset[str]:
    """Addresses on a network (physical id; empty: on none) as exclusive things. Empty addresses are none.

    ``address`` is had by whoever chose it (a port, an interface without one, a floating address); ``answers`` by the server that runs with it, be it its
    port's: so a server that is replaced with its port stops before the other one starts, and a port and its own server are not in each other's way.
    """
    return frozenset(f"{kind}:{network}/{a}" for a in addresses if a)


def floating_entry(address: str, guest: Referred, fixed: str = "") -> dict[str, str]:
    """What a host forwards for a floating ``address``: to ``guest`` (a port, or a server's first interface), at its ``fixed`` or first IPv4 address."""
    nics = guest.identity.get("nics")
    nic: Mapping[str, Any] = nics[0] if nics else guest.identity
    seats = [s for s in (nic, *(nic.get("more") or ())) if s.get("address")]
    found = next((s for s in seats if (s["address"] == fixed if fixed else "." in s["address"])), None)
    if found is None:
        raise RefusedError(f"{guest.path} has no address {fixed or 'of IPv4'} that a floating one could stand for")
    network = ipaddress.ip_network(f"{found['address']}/{found['prefix']}", strict=False)
    return {"kind": "floating", "address": address, "to": str(found["address"]), "cidr": str(network)}


def unfiltered(network: Referred) -> str:
    """Why no packet filters work on a network's interfaces (libvirt, formatnwfilter.html: bridges of the kernel only); empty: they do."""
    mode = network.properties.get("mode")
    return f"{network.path} is a network of mode {mode}, on whose interfaces no packet filters work" if mode in ("vlan", "direct") else ""


def _rotated(network: Any, spans: list[tuple[int, int]], gateway: str, start: bytes) -> Iterator[str]:
    kind = type(network.network_address)
    sizes = [min(last - first + 1, LARGEST) for first, last in spans]
    total = sum(sizes)
    offset = int.from_bytes(start[:2], "big") % total
    for step in range(total):
        index = (offset + step) % total
        for (first, _), size in zip(spans, sizes, strict=True):
            if index < size:
                found = str(kind(first + index))
                break
            index -= size
        if found not in (gateway, str(network.network_address), str(network.broadcast_address)):
            yield found


def _inside(address: str, network: Any, what: str) -> None:
    try:
        there = ipaddress.ip_address(address) in network
    except ValueError as error:
        raise RefusedError(f"{what}: {error}") from error
    if not there:
        raise RefusedError(f"{what} {address} is not in {network}")
