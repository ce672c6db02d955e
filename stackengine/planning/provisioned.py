"""Which servers may start from a disk on which their first boot is done already, and under which hash it is kept.

The first boot of such a server depends on its image, its user data and its size only. What the engine makes for each stack (the address that signals
go to) stands in the hash by its place in the template, not by its value; whatever else the user data refers to keeps a server from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.instance import Recorded
from stackengine.model.values import Unknown, Value, has_sensitive

PROPERTY = "provisioned"
"""A property of ``SE::Server`` that no template can say, as its schema does not know it: the disk that it starts from."""
SERVER, HANDLE = "SE::Server", "SE::WaitConditionHandle"
_FORM = 2
"""Of how a disk is prepared: those that were prepared in another way are not started from."""
_SIZE = ("vcpus", "memory", "flavor", "disk", "firmware")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the first boot of a server depends on."""

    key: str
    source: str
    """Of its image, as the template names it."""
    handles: tuple[str, ...]
    """Paths of the handles that its user data signals to."""


class _OthersError(Exception):
    """The user data refers to something else."""


def inputs_of(resource: DesiredResource, desired: Desired, repository: str = "") -> Inputs | str:
    """The inputs of a server's first boot, or why it cannot be known beforehand. Disks of one ``repository`` are never another's."""
    properties = resource.properties
    image = _image(properties.get("image"), desired)
    data, handles = properties.get("user_data"), dict[str, None]()
    if image is None:
        return "its image is not known before it is made"
    if properties.get("volumes") or properties.get("cdrom"):
        return "it has volumes of its own"
    if properties.get("init") or properties.get("seed") not in (None, "nocloud"):
        return "its first boot is told by more than its user data"
    ready = properties.get("ready")
    if isinstance(ready, dict) and ready.get("gate") == "signal" and not ready.get("handle"):
        return "it signals for itself, which a first boot does once"
    if properties.get("user_data_update") == "reboot":
        return "its user data may run more than once"
    if has_sensitive(data):
        return "its user data holds a secret"
    try:
        plain, sizes = _value(data, desired, handles), _value({k: properties.get(k) for k in _SIZE}, desired, {})
    except _OthersError as error:
        return f"its first boot depends on {error}"
    channel = next((h for h in handles if desired.resources[h].properties.get("transport") == "channel"), "")
    if channel:
        return f"it signals to {channel} over a channel"
    text = json.dumps([_FORM, repository, image, plain, sizes], sort_keys=True)
    return Inputs(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32], str(image["source"]), tuple(handles))


def carried(desired: Desired, recorded: Recorded, repository: str = "") -> Desired:
    """``desired`` with servers that are there standing on what they were started from, whoever asks and however."""
    resources, by_path = dict(desired.resources), recorded.by_path()
    for path, resource in desired.resources.items():
        there = max((i for i in by_path.get(path, ()) if i.status != "deleting"), key=lambda i: i.generation, default=None)
        known: Any = there.properties.get(PROPERTY) if there is not None else None
        if resource.type == SERVER and known is not None:
            now = inputs_of(resource, desired, repository or known["repository"])
            if isinstance(now, Inputs) and now.key == known["key"]:
                resources[path] = with_disk(resource, known)
    return replace(desired, resources=resources)


def with_disk(resource: DesiredResource, disk: Mapping[str, Any]) -> DesiredResource:
    """The resource, started from a disk."""
    return replace(resource, properties={**resource.properties, PROPERTY: dict(disk)})


def _image(value: Value, desired: Desired) -> dict[str, Value] | None:
    if not isinstance(value, Unknown) or not isinstance(value.expr, Ref) or value.expr.target not in desired.resources:
        return None
    found = desired.resources[value.expr.target].properties
    return dict(found) if isinstance(found.get("source"), str) and not any(isinstance(v, Unknown) for v in found.values()) else None


def _value(value: Value, desired: Desired, handles: dict[str, None]) -> Any:
    if isinstance(value, Unknown):
        return _expr(value.expr, desired, handles)
    if isinstance(value, dict):
        return {k: _value(v, desired, handles) for k, v in value.items()}
    return [_value(v, desired, handles) for v in value] if isinstance(value, list) else value


def _expr(expr: Expr, desired: Desired, handles: dict[str, None]) -> Any:
    """An expression without its marks; :class:`_OthersError` names what is neither known nor a handle's."""

    def inside(part: Expr) -> Any:
        return _expr(part, desired, handles)

    match expr:
        case Literal(value=value):
            return ["value", _value(value, desired, handles)]
        case Map(entries=entries):
            return ["map", [[e.key, inside(e.value)] for e in entries]]
        case List(items=items):
            return ["list", [inside(i) for i in items]]
        case Call(fn=fn, args=args):
            return ["call", fn, [inside(a) for a in args]]
        case If(condition=condition, then=then, otherwise=otherwise):
            return ["if", inside(condition), inside(then), inside(otherwise)]
        case Ref(target=target) | Attr(target=target):
            resource = desired.resources.get(target)
            if resource is None or resource.type != HANDLE:
                raise _OthersError(f"what is made of {target}")
            handles[target] = None
            return ["handle", target, [inside(p) for p in expr.path] if isinstance(expr, Attr) else []]
        case Param(name=name):
            raise _OthersError(f"the parameter {name}")
