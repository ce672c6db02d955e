"""Functions over addresses and places."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from itertools import islice
from typing import Any


def cidr(block: Any, count: Any, bits: Any = None) -> list[str]:
    """CloudFormation Fn::Cidr: ``count`` subnets with ``bits`` host bits each (IPv4 and IPv6)."""
    network = ipaddress.ip_network(str(block), strict=False)
    host_bits = int(bits) if bits is not None else (8 if network.version == 4 else 64)
    prefix = network.max_prefixlen - host_bits
    if not network.prefixlen <= prefix <= network.max_prefixlen:
        raise ValueError(f"{block} cannot be cut into blocks with {host_bits} host bits")
    found = [str(n) for n in islice(network.subnets(new_prefix=prefix), int(count))]
    if len(found) < int(count):
        raise ValueError(f"{block} has no {count} blocks with {host_bits} host bits")
    return found


def availability_zones(region: Any = "") -> list[str]:
    """CloudFormation Fn::GetAZs: without an inventory of hosts there is one zone."""
    return [f"{region or 'local'}-a"]


def make_url(parts: dict[str, Any]) -> str:
    """HOT make_url."""
    host = str(parts.get("host", ""))
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    credentials = str(parts.get("username", "")) + (f":{parts['password']}" if "password" in parts else "")
    authority = (credentials + "@" if credentials else "") + host + (f":{parts['port']}" if parts.get("port") else "")
    query = parts.get("query") or {}
    path = str(parts.get("path", ""))
    path = "/" + path if path and not path.startswith("/") else path
    text = f"{parts['scheme']}:" if parts.get("scheme") else ""
    text += ("//" + authority if authority else "") + path
    text += "?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else ""
    return text + (f"#{parts['fragment']}" if parts.get("fragment") else "")


FUNCTIONS: dict[str, Callable[..., Any]] = {"cidr": cidr, "availability_zones": availability_zones, "make_url": make_url}
