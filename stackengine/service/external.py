"""Looks for the objects that a template uses without owning them."""

from __future__ import annotations

from stackengine.model.desired import Desired, DesiredResource
from stackengine.registry import Registry
from stackengine.sdk import Described, Host, HostError, RefusedError


def looked_for(desired: Desired, registry: Registry, host: Host) -> dict[str, Described | str]:
    """By path, the object that ``external_id`` names; a text where it cannot be had: why."""
    return {r.path: _one(r, registry, host) for r in desired.resources.values() if r.external_id is not None}


def _one(resource: DesiredResource, registry: Registry, host: Host) -> Described | str:
    named, info = resource.external_id, registry.get(resource.type)
    if not isinstance(named, str) or not named:
        return "the object that it stands for must be named by a text that is known before anything runs"
    if info is None:
        return f"resource type {resource.type} is not installed"
    try:
        found = info.handler.describe(host, named, resource.properties)
    except (HostError, RefusedError) as error:
        return str(error)
    return found or f"a {resource.type} is always the stack's own; servers, volumes and networks can be used from outside"
