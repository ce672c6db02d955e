"""The records of the append-only log: types only.

The log is the journal, the progress feed and the audit trail at once. ``stackengine.engine.journal`` folds it into a
:class:`~stackengine.model.instance.Recorded`; everybody else reads it by sequence number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "operation.started",  # payload: kind, from_revision, to_revision, plan summary
    "operation.finished",  # payload: status, reason, root_failure
    "operation.reached",  # everything but the cleanup tail ended well: the revision that it aims at stands from now on, whatever comes
    "operation.cancelling",  # payload: by
    "action.begin",  # payload: instance (as it will be), reason; durable before the host is touched
    "action.attempt",  # payload: call, host, message, code, number, wait; a host error that may pass: the call is tried again
    "action.progress",  # payload: message
    "action.configured",  # payload: attributes; its host calls are done
    "action.ready",  # payload: attributes (those that only the gate brought); its gate has come
    "action.done",  # the end of delete, stop, release, retain
    "action.failed",  # payload: error {code, message, host, libvirt_code, hint, tail}
    "action.skipped",  # payload: reason; resolved weaker than planned
    "signal.received",  # payload: id, status, reason, data
    "observed",  # payload: properties, or null when it is gone
    "instance.imported",  # payload: instance
    "instance.forgotten",
    "instance.moved",  # payload: from, and the instance as it is called from now on; those that hold it follow as instance.imported
    "instance.protected",  # payload: protected
    "stack.protected",  # payload: protected
    "stack.policy",  # payload: policy, or null
    "layer.recorded",  # payload: layer
    "diagnostic",  # payload: code, summary, severity
]


@dataclass(frozen=True, slots=True)
class Event:
    """One record. ``seq`` runs per stack and is given by the store; ``at`` is seconds since the epoch (UTC)."""

    kind: Kind
    path: str = ""
    generation: int = 0
    verb: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    at: float = 0.0
    operation: str = ""
    stack: str = ""
    seq: int = 0

    @property
    def instance_id(self) -> str:
        """The instance it is about (``path@generation``), or the empty string."""
        return f"{self.path}@{self.generation}" if self.path and self.generation else ""
