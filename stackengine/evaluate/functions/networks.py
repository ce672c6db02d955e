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
    """CloudFormation Fn::GetAZs: names only, as many as most regions of AWS have at least; all of them are this machine."""
    name = str(region or "local")
    return [f"{name}{'' if name[-1].isdigit() else '-'}{letter}" for letter in "abcd"]


FUNCTIONS: dict[str, Callable[..., Any]] = {"cidr": cidr, "availability_zones": availability_zones}
