"""Completes references that follow from others: an interface that names a network gets the network's only subnet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stackengine.model.desired import DesiredResource
from stackengine.model.expr import Ref
from stackengine.model.values import Unknown, Value
from stackengine.registry import ResourceTypeInfo


def complete(resource: DesiredResource, info: ResourceTypeInfo, resources: dict[str, DesiredResource]) -> None:
    """Apply the schema's ``completes`` rules: where ``from`` refers to X and ``to`` is left out, ``to`` becomes the one ``type`` whose ``by`` is X.

    With ``all``, several are taken too: the first into ``to``, the others into the list ``all``.
    """
    for rule, place in _places(resource.properties, info.schema):
        if place.get(rule["to"]) is not None or place.get("port") is not None:
            continue
        target = _target(place.get(rule["from"]))
        if target is None:
            continue
        found = [p for p, r in resources.items() if r.type == rule["type"] and _target(r.properties.get(rule["by"])) == target]
        if len(found) > 1 and "all" in rule:
            found = _one_of_each_family(found, resources)
        if len(found) == 1 or (found and "all" in rule):
            place[rule["to"]] = Unknown(Ref(found[0], resource.mark_of()))
        if len(found) > 1 and "all" in rule and place.get(rule["all"]) is None:
            place[rule["all"]] = [{rule["to"]: Unknown(Ref(other, resource.mark_of()))} for other in found[1:]]


def _one_of_each_family(paths: list[str], resources: dict[str, DesiredResource]) -> list[str]:
    """Of several subnets the first IPv4 and the first IPv6 one: an interface gets an address of each (Neutron, port without fixed_ips)."""
    found: dict[bool, str] = {}
    for path in paths:
        properties = resources[path].properties
        found.setdefault(":" in str(properties.get("cidr")) or properties.get("family") == "ipv6", path)
    return [found[newer] for newer in sorted(found)]


def _places(properties: dict[str, Value], schema: dict[str, Any]) -> Iterator[tuple[dict[str, str], dict[str, Value]]]:
    for rule in schema.get("completes", ()):
        yield rule, properties
    for name, value in properties.items():
        items = schema.get("properties", {}).get(name, {}).get("items") if isinstance(value, list) else None
        if isinstance(items, dict) and "completes" in items:
            yield from ((rule, item) for rule in items["completes"] for item in value if isinstance(item, dict))


def _target(value: Value) -> str | None:
    return value.expr.target if isinstance(value, Unknown) and isinstance(value.expr, Ref) else None
