"""Signals: what a guest sends to say how it went, in Heat's and in CloudFormation's shape; when a gate has enough of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

PORT = 9117
"""TCP port of the listener on each stack network's gateway."""
HOSTNAME = "signal.stackengine.internal"
CHANNEL = "org.stackengine.signal.0"
"""Name of the virtio-serial port on which a guest may send signals as JSON lines."""
MAX_BODY = 256 << 10
MAX_SIGNALS = 1000
"""Different signals that a handle takes; more where somebody waits for more."""
MAX_BYTES = 16 << 20
"""Of all signals of a handle together."""
FULL = f"this handle takes no more: {MAX_SIGNALS} different signals, or {MAX_BYTES >> 20} MiB"


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal; ``id`` tells a repeated one from a new one."""

    id: str
    status: str
    """SUCCESS or FAILURE."""
    reason: str
    data: Any


def parse(body: bytes, number: int = 0) -> Signal:
    """The signal in a request body; an empty one is a success. ``number`` makes ids of signals that have none.

    Heat: ``{"status", "reason", "data", "id"}`` (wait condition handle API); CloudFormation: ``{"Status", "Reason", "Data", "UniqueId"}``.
    Raises ValueError with what is wrong.
    """
    if len(body) > MAX_BODY:
        raise ValueError(f"a signal has at most {MAX_BODY >> 10} KiB")
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return Signal(f"#{number}", "SUCCESS", "", None)
    try:
        found = json.loads(text)
    except ValueError:
        found = {"data": text}
    if not isinstance(found, dict):
        found = {"data": found}
    by_name = {str(k).lower(): v for k, v in found.items()}
    status = str(by_name.get("status", "SUCCESS")).upper()
    if status not in ("SUCCESS", "FAILURE"):
        raise ValueError(f"a signal's status is SUCCESS or FAILURE, not {status[:40]!r}")
    id_ = by_name.get("id", by_name.get("uniqueid"))
    if id_ is None:
        id_ = hashlib.sha256(f"{number}:{text}".encode()).hexdigest()[:12]
    return Signal(str(id_), status, str(by_name.get("reason", "")), by_name.get("data"))


def verdict(received: list[dict[str, Any]], count: int) -> str | None:
    """``SUCCESS`` when ``count`` different ones succeeded, ``FAILURE`` when one failed, else None."""
    if any(s["status"] == "FAILURE" for s in received):
        return "FAILURE"
    return "SUCCESS" if len({s["id"] for s in received}) >= count else None


def failure_text(received: list[dict[str, Any]]) -> str:
    """The reasons of the failures."""
    reasons = [str(s.get("reason") or s.get("data") or "no reason given") for s in received if s["status"] == "FAILURE"]
    return "; ".join(reasons)
