"""Address ranges that a template names and somebody else has: mapped to free ones, where nothing else in the template depends on them.

What was mapped stands in ``Desired.extra``, so that the next update of the same template means the same range.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Literal, walk
from stackengine.model.instance import Recorded
from stackengine.model.values import Sensitive, Unknown, Value, leaves, map_leaves
from stackengine.planning.ground import Ground
from stackengine.planning.identity import ClaimsBook, PathIdentities, overlap
from stackengine.registry import Registry
from stackengine.sdk import RefusedError, free_subnets, normal_subnet

MAPPED = "mapped"
"""The key of ``Desired.extra``: by path, the range that the template says and the one that it got."""
_ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:/\d{1,3})?(?![\w:]|\.\d)")
"""What may be an address or a range in a text."""


def remapped(
    desired: Desired, before: Mapping[str, Any], recorded: Recorded, ground: Ground, registry: Registry, diagnostics: Diagnostics, *, may: bool = True
) -> Desired:  # fmt: skip
    """``desired`` (not sealed yet) with ranges that are taken in place of free ones: L140 tells each, L141 what cannot be.

    ``before``: what the revision before it had mapped, which stays. ``may``: whether anything else is mapped, too.
    """
    book, mapped, resources = ClaimsBook(ground, recorded), dict(desired.extra.get(MAPPED, {})), dict(desired.resources)
    for path, resource in desired.resources.items():
        for prop in _ranges_of(resource, registry):
            said = _normal(resource.properties[prop])
            if not said:
                continue
            first = str(mapped.get(path, {}).get("from", said))
            kept = before.get(path, {})
            new = str(kept["to"]) if kept.get("from") == said else said
            has = book.holder("cidr", new)
            if new == said and (has is None or not may):
                continue
            if has is not None and may:
                found = _free(path, said, ground, book, desired, diagnostics, (resource, prop, has))
                if found is None:
                    continue
                new = found
            mapped[path] = {"from": first, "to": new}
            resources[path] = _moved(resource, prop, said, new)
    if not mapped:
        return desired
    return replace(desired, resources=resources, extra={**desired.extra, MAPPED: mapped})


def _ranges_of(resource: DesiredResource, registry: Registry) -> Iterator[str]:
    """The properties of a resource that name a range of the host (schema keyword ``"claims": "cidr"``)."""
    info = registry.get(resource.type)
    if info is not None and resource.external_id is None:
        yield from (n for n, s in info.properties.items() if s.get("claims") == "cidr" and isinstance(resource.properties.get(n), str))


def _normal(text: Value) -> str:
    """A range in normal form; empty for a word (``auto``) and for what is none, which the type refuses itself."""
    try:
        return normal_subnet(str(text)) if "/" in str(text) else ""
    except RefusedError:
        return ""


def _free(
    path: str, said: str, ground: Ground, book: ClaimsBook, desired: Desired, diagnostics: Diagnostics, asked: tuple[DesiredResource, str, str]
) -> str | None:  # fmt: skip
    """A free range of the same size, told; None where something depends on the one that the template says."""
    resource, prop, has = asked
    whose = f": {has} has it" if has else ""
    network = ipaddress.ip_network(said)
    start = PathIdentities(ground, path, 0, book, lambda _: None).random(7, f"mapped:{said}")
    try:
        new = book.take("cidr", _same_size(start, network, ground), f"{path}@mapped").value
    except RefusedError as error:
        diagnostics.error("L141", f"{path}: {said} is taken on {ground.host}{whose}, and {error}", resource.mark_of(prop), "another range")
        return None
    for place, address in _mentions(desired, path, prop):
        if _depends(address, network, new):
            hint = "say it there by get_attr (or its like) of the network, or take another range"
            why = f"{path}: {said} is taken on {ground.host}{whose}, and it cannot be mapped, as {place} says {address}"
            diagnostics.error("L141", why, resource.mark_of(prop), hint)
            return None
    diagnostics.notice("L140", f"{path}: {said} is taken on {ground.host}{whose}; it gets {new} in its place", resource.mark_of(prop))
    return new


def _same_size(start: bytes, network: Any, ground: Ground) -> Iterator[str]:
    """Ranges as large as ``network``, of the owner's pools."""
    ranges: list[Any] = [ipaddress.ip_network(r) for r in ground.offered.ranges(network.version)]
    for candidate in free_subnets(start, f"ipv{network.version}", [str(r) for r in ranges]):
        found: Any = ipaddress.ip_network(candidate)
        if found.prefixlen <= network.prefixlen:
            yield str(next(found.subnets(new_prefix=network.prefixlen)))
        elif not ranges or any(r.supernet_of(found.supernet(new_prefix=network.prefixlen)) for r in ranges):
            yield str(found.supernet(new_prefix=network.prefixlen))


def _mentions(desired: Desired, path: str, prop: str) -> Iterator[tuple[str, str]]:
    """(place, address) of every address in the template but those of the range's own resource, which move with it."""
    for other, resource in desired.resources.items():
        if other != path:
            for name, value in resource.properties.items():
                yield from ((f"{other}.{name}", a) for a in _addresses(value))
        elif resource.properties:
            inside = {n: v for n, v in resource.properties.items() if n != prop}
            yield from ((f"{other}.{n}", a) for n, v in inside.items() for t in leaves(v) if isinstance(t, str) and not _whole(t) for a in _addresses(t))
        yield from ((f"the metadata of {other}", a) for a in _addresses(resource.metadata))
    for name, output in desired.outputs.items():
        yield from ((f"the output {name}", a) for a in _addresses(output.value))


def _addresses(value: Value) -> Iterator[str]:
    for leaf in leaves(value):
        if isinstance(leaf, Sensitive):
            yield from _addresses(leaf.value)
        elif isinstance(leaf, Unknown):
            yield from (a for e in walk(leaf.expr) if isinstance(e, Literal) for a in _addresses(e.value))
        elif isinstance(leaf, str):
            yield from (m.group() for m in _ADDRESS.finditer(leaf))


def _whole(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _depends(address: str, network: Any, new: str) -> bool:
    """Whether an address or range means something of ``network``; one that is so wide that it holds both means the same as before."""
    try:
        said: Any = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    both = said.version == network.version and said.supernet_of(network) and said.supernet_of(ipaddress.ip_network(new))
    return overlap(str(said), str(network)) and not both


def _moved(resource: DesiredResource, prop: str, said: str, new: str) -> DesiredResource:
    """The resource with its range, and with its own addresses in that range, moved."""
    old, there = ipaddress.ip_network(said), ipaddress.ip_network(new)

    def move(leaf: Value) -> Value:
        if not isinstance(leaf, str) or not _whole(leaf) or "/" in leaf:
            return leaf
        try:
            address = ipaddress.ip_address(leaf)
        except ValueError:
            return leaf
        return str(there[int(address) - int(old.network_address)]) if address in old else leaf

    return replace(resource, properties={n: new if n == prop else map_leaves(v, move) for n, v in resource.properties.items()})
