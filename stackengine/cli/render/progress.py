"""An operation as its events tell it: what runs, what waits, what has ended. Views read it; nothing here draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stackengine.cli.render.events import tried
from stackengine.events import Event
from stackengine.planning.plan import Action, Plan

State = Literal["running", "waiting", "done", "failed", "skipped"]
_DOING = {
    "create": "creating",
    "update": "updating",
    "move": "moving",
    "delete": "deleting",
    "stop": "stopping",
    "release": "releasing",
    "retain": "letting go",
    "read": "reading",
    "snapshot": "copying",
    "copy": "copying the disks of",
    "restore": "bringing back the disks of",
    "discard": "dropping copies of",
}
_DID = {
    "create": "created",
    "update": "updated",
    "move": "moved",
    "delete": "deleted",
    "stop": "stopped",
    "release": "released",
    "retain": "retained",
    "read": "read",
    "snapshot": "copied",
    "copy": "copied",
    "restore": "brought back",
    "discard": "copies dropped",
}


@dataclass(slots=True)
class Step:
    """One action while it runs and afterwards; times are seconds since the epoch."""

    id: str
    verb: str
    path: str
    generation: int
    type: str = ""
    began: float = 0.0
    configured: float = 0.0
    """When its host calls were done; 0 before."""
    ended: float = 0.0
    state: State = "running"
    message: str = ""
    replaces: bool = False
    gated: bool = True
    """Whether something is awaited after it is configured, as far as the plan says."""
    gate: str = ""
    """What it waits for, in words."""
    error: dict[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in ("done", "failed", "skipped")

    @property
    def waited(self) -> bool:
        """Whether it was ready noticeably later than configured."""
        return self.state == "done" and bool(self.configured) and self.ended - self.configured > 0.05

    def doing(self) -> str:
        """``creating``; once it is configured and its gate has not come: ``waiting``."""
        return "waiting" if self.state == "waiting" else "replacing" if self.replaces else _DOING.get(self.verb, self.verb)

    def did(self) -> str:
        """``created``, ``failed``, ``nothing to do``."""
        if self.state in ("failed", "skipped"):
            return "failed" if self.state == "failed" else "nothing to do"
        return "replaced" if self.replaces else _DID.get(self.verb, self.verb)


@dataclass(slots=True)
class Walk:
    """One operation; a failed one is followed by its rollback."""

    kind: str = ""
    began: float = 0.0
    ended: float = 0.0
    total: int = 0
    """Actions planned; 0 where nobody told."""
    steps: dict[str, Step] = field(default_factory=dict)
    planned: Mapping[str, Action] = field(default_factory=dict)
    """By id, where the plan is known: types, and what waited for what."""

    def running(self) -> list[Step]:
        """What has begun and not ended, oldest first."""
        return [s for s in self.steps.values() if not s.over]

    def over(self) -> int:
        """How many have ended."""
        return sum(1 for s in self.steps.values() if s.over)


class Progress:
    """Takes events in their order and keeps the picture."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.walks: list[Walk] = []
        self.cancelling = ""
        self._plan = plan

    @property
    def walk(self) -> Walk:
        """The operation that runs now, or ran last."""
        if not self.walks:
            self._start("", 0.0, {})
        return self.walks[-1]

    def failures(self) -> Iterator[Step]:
        """What failed, first one first: the first of the first walk is the root failure."""
        for walk in self.walks:
            yield from sorted((s for s in walk.steps.values() if s.state == "failed"), key=lambda s: s.ended)

    def take(self, event: Event) -> Step | None:
        """Take one event; returns the step that it is about, if any."""
        match event.kind:
            case "operation.started":
                self._start(str(event.payload.get("kind", "")), event.at, event.payload)
            case "operation.cancelling":
                self.cancelling = str(event.payload.get("by") or event.payload.get("policy") or "cancelled")
            case "operation.finished":
                self.walk.ended = event.at
                for step in self.walk.running():
                    self._end(step, step.configured or event.at, "done" if step.configured else "failed")
            case _ if event.kind.startswith("action."):
                if not self.walks:  # resumed: the operation was started by a process that is gone
                    self._start("", event.at, {})
                return self._action(event)
        return None

    def _start(self, kind: str, at: float, payload: dict[str, Any]) -> None:
        """Begin a walk; the plan that was shown belongs to the first one only (a rollback has a plan of its own)."""
        plan, self._plan = self._plan, None
        walk = Walk(kind, at)
        if plan is not None:
            walk.total = len(plan.actions)
            walk.planned = plan.actions
        else:
            summary = payload.get("plan")
            total = summary.get("actions") if isinstance(summary, dict) else None
            walk.total = total if isinstance(total, int) else 0
        self.walks.append(walk)

    def _action(self, event: Event) -> Step:
        step = self._step(event)
        payload = event.payload
        match event.kind.removeprefix("action."):
            case "attempt":
                step.message = tried(payload)
            case "progress":
                step.message = str(payload.get("message", ""))
            case "configured":
                step.configured, step.state, step.message = event.at, "waiting", step.gate
            case "ready" | "done":
                self._end(step, event.at, "done")
            case "skipped":
                self._end(step, event.at, "skipped")
            case "failed":
                step.error = payload.get("error") or {}
                self._end(step, event.at, "failed")
        return step

    def _step(self, event: Event) -> Step:
        key = f"{event.verb}:{event.path}@{event.generation}" + (f":{event.payload['of']}" if event.payload.get("of") else "")
        step = self.walk.steps.get(key)
        if step is None:
            action = self.walk.planned.get(key)
            instance = event.payload.get("instance")
            kind = action.instance.type if action else str(instance.get("type", "")) if isinstance(instance, dict) else ""
            step = Step(key, event.verb, event.path, event.generation, kind, began=event.at)
            step.replaces = action is not None and action.replaces
            step.gated = action is None or action.gate is not None
            if action is not None and action.gate is not None:
                step.gate = f"for {action.gate.count} signals" if action.gate.count > 1 else f"for {action.gate.kind}"
            self.walk.steps[key] = step
        return step

    @staticmethod
    def _end(step: Step, at: float, state: State) -> None:
        step.ended, step.state, step.message = at, state, ""
