"""Which addresses this machine calls for others: public ones, and private ones only where its owner named the place.

A template, a redirection or a name server may name any address, also ones that only this machine reaches: its own services, the local
network, a cloud's metadata service. So the address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached

Place = tuple[str, int]
"""A host's name, in lower case, and a port."""


class PrivateAddressError(ValueError):
    """A host is at a private address, and nobody named it."""


def place(url: str) -> Place:
    """Where a URL is connected to; ValueError for a port that is none."""
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


def places(urls: Iterable[str]) -> frozenset[Place]:
    """Of several, without those that name none."""
    found = set()
    for url in urls:
        with contextlib.suppress(ValueError):
            found.add(place(url))
    return frozenset(p for p in found if p[0])


def addresses(host: str, port: int, named: Collection[Place], *, resolve: bool = True) -> list[str]:
    """The addresses of a host; :class:`PrivateAddressError` where one of them is private and the place is not ``named``, OSError where it has none.

    Without ``resolve`` no name server is asked: nothing where ``host`` is a name.
    """
    local = not resolve and ("." + host.rstrip(".")).endswith(".localhost")
    try:
        entries = socket.getaddrinfo("127.0.0.1" if local else host, port, type=socket.SOCK_STREAM, flags=0 if resolve else socket.AI_NUMERICHOST)
    except OSError:
        if resolve:
            raise
        return []
    found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if (host.lower(), port) not in named:
        for address in found:
            if not _is_public(ipaddress.ip_address(address.partition("%")[0])):
                raise PrivateAddressError(f"{host} is at {address}, which is a private address")
    return found


def connect(host: str, port: int, timeout: float, named: Collection[Place]) -> socket.socket:
    """A connection to one of the addresses that were looked at; errors as of :func:`addresses`, OSError when none answers."""
    failed: OSError | None = None
    for address in addresses(host, port, named):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failed = error
    raise failed or OSError(f"{host} has no address")


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
