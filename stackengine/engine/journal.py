"""The fold: what the log says exists.

Rules: ``begin`` without an end makes an instance unsure; its holds, and what it occupies, are the union of old and new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stackengine.events import Event
from stackengine.model.codec import instance_from_json, layer_from_json, value_from_json
from stackengine.model.instance import ORIGIN, DiskCopy, Instance, Recorded, Status

_BEGUN: dict[str, Status] = {"update": "updating", "move": "moving"}


def fold(events: Iterable[Event], start: Recorded | None = None) -> Recorded:
    """The recorded state after ``events``."""
    recorded = start or Recorded({}, {}, {}, {}, {})
    for event in events:
        apply(recorded, event)
    return recorded


def apply(recorded: Recorded, event: Event) -> None:
    """Take one event into ``recorded`` (its dicts change; instances are replaced)."""
    id_ = event.instance_id
    match event.kind:
        case "action.begin":
            forget_signals(recorded, event.payload.get("forgets", ""))
            put(recorded, begun(recorded.instances.get(id_), event.verb, instance_from_json(event.payload["instance"])))
        case "action.configured" | "action.ready":
            attributes = value_from_json(event.payload.get("attributes", {}))
            recorded.observed.pop(id_, None)
            put(recorded, reached(recorded.instances[id_], "configured" if event.kind == "action.configured" else "ready", attributes))
        case "action.skipped":
            put(recorded, instance_from_json(event.payload["instance"]))
        case "action.done":
            put_or_drop(recorded, id_, done(recorded.instances[id_], event.verb, event.payload.get("of", "")))
        case "action.failed":
            forget_signals(recorded, event.payload.get("spent", ""), "FAILURE")
            if id_ in recorded.instances and event.payload.get("begun", True):
                put(recorded, failed(recorded.instances[id_], event.verb, bool(event.payload.get("after_configured"))))
        case "signal.received":
            known = recorded.signals.setdefault(event.payload["handle"], [])
            if all(s["id"] != event.payload["id"] for s in known):
                known.append({k: event.payload.get(k) for k in ("id", "status", "reason", "data")})
        case "observed":
            recorded.observed[id_] = value_from_json(event.payload["properties"])
        case "instance.forgotten":
            put_or_drop(recorded, id_, None)
        case "instance.imported":
            put(recorded, instance_from_json(event.payload["instance"]))
        case "instance.moved":
            put_or_drop(recorded, f"{event.payload['from']}@{event.generation}", None)
            put(recorded, instance_from_json(event.payload["instance"]))
        case "instance.protected":
            if id_ in recorded.instances:
                put(recorded, recorded.instances[id_].but(protected=bool(event.payload["protected"])))
        case "layer.recorded":
            layer = layer_from_json(event.payload["layer"])
            recorded.layers[layer.id] = layer


def forget_signals(recorded: Recorded, handle: str, status: str = "") -> None:
    """Signals of a handle count no more (those of one ``status``, or all)."""
    kept = [s for s in recorded.signals.get(handle, ()) if status and s["status"] != status]
    if kept:
        recorded.signals[handle] = kept
    else:
        recorded.signals.pop(handle, None)


def put(recorded: Recorded, instance: Instance) -> None:
    """Record an instance."""
    recorded.instances[instance.id] = instance
    if recorded.generations.get(instance.path, 0) < instance.generation:
        recorded.generations[instance.path] = instance.generation


def put_or_drop(recorded: Recorded, id_: str, instance: Instance | None) -> None:
    """Record an instance, or that it is no more."""
    recorded.observed.pop(id_, None)
    if instance is None:
        recorded.instances.pop(id_, None)
    else:
        put(recorded, instance)


def begun(old: Instance | None, verb: str, new: Instance) -> Instance:
    """The instance once an action on it has begun."""
    match verb:
        case "create" | "update" | "read" | "move":
            holds = new.holds | new.refs | (old.holds if old is not None else frozenset())
            occupied = new.exclusive | (old.occupied if old is not None else frozenset())
            copies = old.copies if old is not None else new.copies
            return new.but(holds=holds, occupied=occupied, sure=False, status=_BEGUN.get(verb, "creating"), power="running", copies=copies)
        case "delete" | "retain":
            return new.but(sure=False, status="deleting")
        case "snapshot":
            return old or new
        case "copy":
            return new
        case "discard":  # what is half gone brings no disk back; and disks that had to come back from it are not to be had any more
            lost = {"sure": False, "status": "deleting"} if any(c.status == "restoring" for c in new.copies) else {}
            return new.but(copies=tuple(replace(c, status="dropping") for c in new.copies), **lost)
        case "restore":  # until it has ended its disks are neither the ones from before nor the ones of now
            return new.but(sure=False, power="unknown")
        case _:  # stop, release: it may run or not from now on
            return new.but(power="unknown")


def with_copy(instance: Instance, verb: str, copy: DiskCopy | None) -> Instance:
    """The instance with a copy of its disks that is about to be taken, or brought back."""
    if copy is None or verb not in ("copy", "restore"):
        return instance
    if verb == "restore":
        return instance.but(copies=tuple(replace(c, status="restoring") if c.id == copy.id else c for c in instance.copies))
    taken = replace(copy, properties=instance.properties, attributes=instance.attributes, status="making")
    return instance.but(copies=(*(c for c in instance.copies if c.id != copy.id), taken))


def reached(instance: Instance, status: Any, attributes: dict[str, Any]) -> Instance:
    """The instance once its host calls are done (``configured``), or its gate has come (``ready``)."""
    merged = {**instance.attributes, **attributes} if attributes else instance.attributes
    if instance.origin:  # it has arrived
        instance = instance.but(pieces=tuple(p for p in instance.pieces if p.piece != ORIGIN))
    return instance.but(attributes=merged, holds=instance.refs, occupied=instance.exclusive, sure=True, lived=True, status=status)


def done(instance: Instance, verb: str, of: str) -> Instance | None:
    """The instance after the end of a delete, retain, stop, release, or of what is done to copies of its disks."""
    if verb in ("delete", "retain"):
        return None
    if verb == "snapshot":
        return instance
    if verb == "discard":
        return instance.but(copies=())
    if verb in ("copy", "restore"):
        copies = tuple(replace(c, status="whole") if c.id == of else c for c in instance.copies)
        taken = next(c for c in copies if c.id == of)
        back = {"properties": taken.properties, "attributes": taken.attributes} if verb == "restore" else {}
        return instance.but(copies=copies, **back)
    if verb == "stop":
        return instance.but(power="stopped", status="stopped")
    return instance.but(power="stopped", status="released", holds=instance.holds - {of}, refs=instance.refs - {of})


def failed(instance: Instance, verb: str, after_configured: bool) -> Instance:
    """The instance after a failure: sure when its host calls were done before its gate failed; a copy that failed is no fault of its own."""
    if instance.status == "deleting" or verb in ("snapshot", "copy", "discard"):
        return instance
    return instance.but(status="failed", sure=instance.sure and after_configured)
