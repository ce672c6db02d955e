"""Events for people and for programs."""

from __future__ import annotations

from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.times import clock, iso
from stackengine.cli.render.values import show, to_data
from stackengine.events import Event

_COLORS = {"action.failed": "red", "action.ready": "green", "action.done": "green", "operation.started": "bold", "operation.finished": "bold"}


def event_data(event: Event) -> dict[str, Any]:
    """The members of an ``event`` document."""
    return {
        "seq": event.seq,
        "at": iso(event.at),
        "stack": event.stack,
        "operation": event.operation,
        "event": event.kind,
        "path": event.path,
        "generation": event.generation,
        "verb": event.verb,
        "payload": to_data(event.payload),
    }


def event_line(event: Event, style: Style = PLAIN) -> str:
    """``   12  14:03:07  action.failed       create web@1  message``."""
    about = f"{event.verb} {event.instance_id or event.path}".strip()
    color = _COLORS.get(event.kind)
    kind = style.paint(event.kind.ljust(20), color) if color else event.kind.ljust(20)
    return f"{event.seq:>5}  {clock(event.at)}  {kind}  {' '.join(t for t in (about, _message(event)) if t)}".rstrip()


def tried(payload: dict[str, Any]) -> str:
    """Which call failed, and when it is tried again."""
    code = f" (libvirt error {payload['code']})" if payload.get("code") else ""
    return f"{payload['call'] or 'a call'}: {payload['message']}{code}; attempt {payload['number']} in {payload['wait']:.1f} s"


def _message(event: Event) -> str:
    """What the payload says that a person wants on one line."""
    payload = event.payload
    match event.kind:
        case "action.failed":
            error = payload.get("error") or {}
            code = f"libvirt error {error['libvirt_code']}: " if error.get("libvirt_code") else ""
            return code + str(error.get("message", "")).partition("\n")[0]
        case "operation.started":
            return f"{payload.get('kind', '')} revision {payload.get('from_revision', '?')} to {payload.get('to_revision', '?')}"
        case "operation.finished":
            return " ".join(str(payload[k]) for k in ("status", "reason") if payload.get(k))
        case "signal.received":
            return show({k: payload[k] for k in ("id", "status", "reason") if payload.get(k)})
        case "action.attempt":
            return tried(payload)
        case "action.begin" | "action.configured" | "action.ready":
            return str(payload.get("reason", "")) if event.kind == "action.begin" else ""
        case _:
            return "" if not payload else str(payload.get("message") or payload.get("reason") or show(payload))
