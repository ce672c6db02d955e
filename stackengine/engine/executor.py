"""Carries a plan out: grouped commits first, then the work; the journal is written by this one thread only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from stackengine.engine import journal as fold
from stackengine.engine.context import ActionContext, ContextParts
from stackengine.engine.failures import describe
from stackengine.engine.ports import Failure, Fenced, Gates, Journal, Outcome, Policy, Result, Runner, Vault
from stackengine.engine.redact import Redactor
from stackengine.engine.resolution import Resolution
from stackengine.engine.signals import failure_text, verdict
from stackengine.engine.walk import Walk
from stackengine.engine.work import ATTEMPT, PROGRESS, Begun, Limit, Works
from stackengine.events import Event
from stackengine.model.codec import instance_to_json, value_to_json
from stackengine.model.desired import Desired
from stackengine.model.instance import Instance, Recorded
from stackengine.planning.plan import Action, Plan
from stackengine.registry import Registry, ResourceTypeInfo
from stackengine.sdk import Cancelled, FailedError, Host

SIGNAL = "signal:"
"""Prefix of the keys of results that are signals."""
SILENT = "what the guest did stands in its console: stack-run logs STACK SERVER; does it call its handle, and is the timeout long enough?"
MAKING = ("create", "update", "read", "move")
"""What ends with an object that is configured, and ready when its gate has come."""
LOOK_EVERY = 0.5
"""Seconds between two looks at whether somebody asked to cancel."""


@dataclass(slots=True)
class _Waiting:
    """An action whose gate has not come."""

    action: Action
    deadline: float
    info: ResourceTypeInfo


def execute(
    plan: Plan, desired: Desired, recorded: Recorded, *, registry: Registry, hosts: Callable[[str], Host], journal: Journal, runner: Runner,
    gates: Gates, vault: Vault, parts: ContextParts, policy: Policy,
) -> Outcome:  # fmt: skip
    """Walk ``plan`` and return how it ended; ``recorded`` is kept up to date on the way.

    Journal rules: ``begin`` is durable before the host is touched, an end before dependents see it. A handler that raises Cancelled leaves its
    instance unsure. The caller decides what a failure means (roll back, keep).
    """
    executor = _Executor(plan, desired, recorded, registry, hosts, journal, runner, gates, vault, parts, policy)
    try:
        return executor.run()
    except Fenced:
        return Outcome("fenced", tuple(executor.failures), executor.walk.not_run())


class _Executor:
    def __init__(
        self, plan: Plan, desired: Desired, recorded: Recorded, registry: Registry, hosts: Callable[[str], Host], journal: Journal, runner: Runner,
        gates: Gates, vault: Vault, parts: ContextParts, policy: Policy,
    ) -> None:  # fmt: skip
        self.walk, self.failures = Walk(plan), list[Failure]()
        self._plan, self._recorded, self._registry, self._hosts = plan, recorded, registry, hosts
        self._journal, self._runner, self._gates, self._parts, self._policy = journal, runner, gates, parts, policy
        self._redactor = Redactor()
        self._resolution = Resolution(plan, desired, recorded, vault, self._redactor)
        self._works = Works(registry, hosts, recorded, self._resolution, parts, runner)
        self._events: list[Event] = []
        self._changed: dict[str, Instance | None] = {}
        self._due: list[tuple[Action, Callable[[], Any]]] = []
        self._inline: list[Result] = []
        self._waiting: dict[str, _Waiting] = {}
        self._limits: dict[str, Limit] = {}
        self._stop: str | None = None
        self._deadline = parts.monotonic() + policy.timeout if policy.timeout else None
        self._over = self._crowded = self._told_reached = False

    # the loop

    def run(self) -> Outcome:
        """Until nothing runs and nothing may start."""
        while True:
            if not self._stopping:
                self._begin_what_is_ready()
            self._commit()
            if not self.walk.running and not self._due and not self._inline and (self._stopping or not self._crowded):
                break
            if self._stop == "stop":
                break
            self._collect()
        self._commit()
        if self._stop and (self.failures or not self.walk.complete):  # who asks when everything is done has nothing to cancel
            return Outcome("cancelled", tuple(self.failures), self.walk.not_run())
        if self.failures or not self.walk.complete:
            return Outcome("failed", tuple(self.failures), self.walk.not_run())
        outputs, wrong = self._resolution.outputs()
        self._events += [Event("diagnostic", payload={"code": "L124", "summary": self._redactor.text(w), "severity": "warning"}) for w in wrong]
        self._commit()
        return Outcome("complete", outputs=outputs)

    @property
    def _stopping(self) -> bool:
        return bool(self._stop) or self._over or (bool(self.failures) and not self._policy.keep_going)

    def _commit(self) -> None:
        """Make everything durable that became due, then start the work that it announced."""
        if self._events:
            events, changed = self._events, self._changed
            self._events, self._changed = [], {}
            self._journal.commit(events, changed)
        due, self._due = self._due, []
        for action, work in due:
            info = self._info(action)
            if info.handler.inline:
                self._inline.append(_run(action.id, work))
            else:
                self._runner.submit(action.id, action.instance.host, _slot(action, info), work)

    def _collect(self) -> None:
        """Take in what ended; block when there is nothing else to do."""
        results, self._inline = self._inline, []
        if not results:
            results = self._runner.wait(self._patience())
        for result in results:
            self._take(result)
        self._look_at_clock()

    def _patience(self) -> float:
        now = self._parts.monotonic()
        ends = [w.deadline for w in self._waiting.values()] + [found.deadline for found in self._limits.values()]
        ends += [self._deadline] if self._deadline and not self._stopping else []
        return max(0.0, min([LOOK_EVERY, *(e - now for e in ends)]))

    def _look_at_clock(self) -> None:
        now = self._parts.monotonic()
        for limit in [found for found in self._limits.values() if now >= found.deadline]:
            self._give_up(limit)
        for key, waiting in list(self._waiting.items()):
            if now >= waiting.deadline and waiting.action.gate is not None and waiting.action.gate.kind == "signal":
                gate = waiting.action.gate
                got = len(self._recorded.signals.get(gate.handle, []))
                del self._waiting[key]
                said = f"{got} of {gate.count} signals came within {gate.timeout:g} s"
                self._end_badly(waiting.action, FailedError(said, tail=self._tail(waiting), hint=SILENT), True)
        self._stop = self._stop or self._journal.cancelled()
        if self._deadline and now >= self._deadline and not self._stopping:
            self._over = True
            self.failures.append(Failure("", f"the operation took longer than {self._policy.timeout:g} s", hint="--timeout says how long it may take"))
        if self._stopping:
            self._drop_waiting()

    def _give_up(self, limit: Limit) -> None:
        """Nobody waits for this action any more: what it still does in its thread starts no further host call, and its result is not taken."""
        limit.over, key, waiting = True, limit.action.id, self._waiting.pop(limit.action.id, None)
        del self._limits[key]
        self._gates.drop(key)
        self._runner.free(key)
        seconds = limit.action.instance.policies.timeout
        hint = "stackengine: {timeout: ...} in its metadata says how long it may take"
        error = FailedError(f"it took longer than {seconds:g} s", hint=hint, tail=self._tail(waiting) if waiting else "")
        self._end_badly(limit.action, error, waiting is not None)

    def _drop_waiting(self) -> None:
        """Waiting is not working: an action that only waits for its gate ends here, its object configured."""
        for key, waiting in list(self._waiting.items()):
            self._gates.drop(key)
            self._runner.free(key)
            del self._waiting[key]
            self.walk.fail(waiting.action)

    # beginning

    def _begin_what_is_ready(self) -> None:
        crowded: list[Action] = []
        running = self._policy.parallel - len(self._due)
        for action in self.walk.ready():
            info = self._info(action)
            kind = _slot(action, info)
            if self._stopping or (not info.handler.inline and (running <= 0 or not self._runner.can_run(action.instance.host, kind))):
                crowded.append(action)
                continue
            running -= 1
            if not info.handler.inline:
                self._runner.reserve(action.id, action.instance.host, kind)
            if not self._begin(action, info):
                self._runner.free(action.id)
        for action in crowded:
            self.walk.put_back(action)
        self._crowded = bool(crowded)

    def _begin(self, action: Action, info: ResourceTypeInfo) -> bool:
        """Announce an action and its work; False when there is none: nothing to do, or failed before it began."""
        self.walk.start(action)
        try:
            instance, plain, contributed = self._resolved(action)
            if self._resolution.nothing_to_do(action, instance):
                self._skip(action, instance)
                return False
            old = self._recorded.instances.get(instance.id)
            begun = fold.begun(old, action.verb, fold.with_copy(instance, action.verb, action.copy))
            limit = Limit(action, float("inf"))
            work = self._works.of(Begun(action, info, begun, plain, contributed, old, limit))
        except Exception as error:  # a function refused what arrived, or a secret cannot be opened: the action failed before it began
            self._end_badly(action, error, False, begun=False)
            return False
        payload: dict[str, Any] = {"instance": instance_to_json(begun), "reason": action.reason, "type": instance.type}
        if action.of:
            payload["of"] = action.of
        stale = self._stale_signals(action, old) if old is None or old.host != instance.host else ""
        if stale:
            payload["forgets"] = stale
            fold.forget_signals(self._recorded, stale)
        if action.phase == "tail" and self._plan.chosen and not self._told_reached:  # the point of no return; where all of a stack goes there is no other
            self._told_reached = True
            self._events.append(Event("operation.reached"))
        self._record(Event("action.begin", action.path, instance.generation, action.verb, payload), begun)
        if begun.policies.timeout:
            limit.deadline = self._parts.monotonic() + begun.policies.timeout
            self._limits[action.id] = limit
        self._due.append((action, work))
        return True

    def _resolved(self, action: Action) -> tuple[Instance, dict[str, Any], dict[str, Any]]:
        if action.verb in MAKING:
            return self._resolution.of(action)
        instance = self._recorded.instances.get(action.instance.id, action.instance)  # a release may have changed it since the plan
        return instance, self._resolution.opened(instance.properties), {}

    def _stale_signals(self, action: Action, old: Instance | None) -> str:
        """The handle whose signals the predecessor of a new guest sent: its gate waits for its own. (A wait condition takes what came before it.)"""
        gate, replaces = action.gate, action.verb == "create" and (action.instance.generation > 1 or old is not None)
        return gate.handle if replaces and gate is not None and gate.kind == "signal" and gate.uuid else ""

    def _skip(self, action: Action, instance: Instance) -> None:
        """Weaker than planned: what was unknown turned out as it is."""
        old = self._recorded.instances[instance.id]
        kept = instance.but(
            attributes=old.attributes, copies=old.copies, holds=instance.refs, occupied=instance.exclusive, sure=True, status="ready", power=old.power,
        )  # fmt: skip
        payload = {"instance": instance_to_json(kept), "reason": "nothing to do"}
        self._record(Event("action.skipped", action.path, instance.generation, action.verb, payload), kept)
        self.walk.reach(action, "ready")

    # ending

    def _take(self, result: Result) -> None:
        if result.key.startswith(SIGNAL):
            self._signal(result.value)
        elif result.key.startswith(PROGRESS):
            action = self._plan.actions[result.key.removeprefix(PROGRESS)]
            message = self._redactor.text(str(result.value))
            self._events.append(Event("action.progress", action.path, action.instance.generation, action.verb, {"message": message}))
        elif result.key.startswith(ATTEMPT):
            action = self._plan.actions[result.key.removeprefix(ATTEMPT)]
            told = {**asdict(result.value), "message": self._redactor.text(result.value.message)}
            self._events.append(Event("action.attempt", action.path, action.instance.generation, action.verb, told))
        elif result.key in self._waiting:
            waiting = self._waiting.pop(result.key)
            self._runner.free(result.key)
            if result.error is not None:
                self._end_badly(waiting.action, result.error, True)
            else:
                self._ready(waiting.action, waiting.info, (result.value or {}).get("received", []))
        elif result.key in self._plan.actions and self.walk.runs(result.key):
            self._worked(self._plan.actions[result.key], result)

    def _worked(self, action: Action, result: Result) -> None:
        if isinstance(result.error, Cancelled):
            self._stop = self._stop or "stop"
            self.walk.fail(action)
            return
        if result.error is not None:
            self._end_badly(action, result.error, False)
            return
        instance = self._recorded.instances[action.instance.id]
        if action.verb not in MAKING:
            held = self._recorded.instances[action.of].id if action.of in self._recorded.instances else action.of
            ended = fold.done(instance, action.verb, held)
            self._events.append(Event("action.done", action.path, instance.generation, action.verb, {"of": held} if held else {}))
            self._changed[instance.id] = ended
            fold.put_or_drop(self._recorded, instance.id, ended)
            self._limits.pop(action.id, None)
            self.walk.reach(action, "done")
            return
        info = self._info(action)
        attributes = self._resolution.sealed(result.value or {}, info)
        if action.gate is None or self._stopping:
            self._reached(action, "configured" if action.gate is not None else "ready", attributes)
            if action.gate is not None:
                self.walk.fail(action)
            return
        self._reached(action, "configured", attributes)
        self._await(action, info)

    def _reached(self, action: Action, status: str, attributes: dict[str, Any]) -> None:
        instance = fold.reached(self._recorded.instances[action.instance.id], status, attributes)
        payload = {"attributes": value_to_json(attributes)} if attributes else {}
        kind: Any = "action.configured" if status == "configured" else "action.ready"
        self._recorded.observed.pop(instance.id, None)
        self._record(Event(kind, action.path, instance.generation, action.verb, payload), instance)
        if status == "ready":
            self._limits.pop(action.id, None)
        self.walk.reach(action, status)

    def _await(self, action: Action, info: ResourceTypeInfo) -> None:
        try:
            gate = self._resolution.gate(action, info)
            self._waiting[action.id] = _Waiting(replace(action, gate=gate), self._parts.monotonic() + gate.timeout, info)
            if gate.kind != "signal":
                self._gates.watch(action.id, gate, self._hosts(action.instance.host), self._runner.deliver)
        except Exception as error:  # a value that the gate needs is not what it should be, or the host went away
            self._waiting.pop(action.id, None)
            self._end_badly(action, error, True)
            return
        if gate.kind == "signal":
            self._judge(action.id)

    def _signal(self, signal: dict[str, Any]) -> None:
        """A signal came: record it once, then look at the gates that wait for its handle."""
        known = self._recorded.signals.setdefault(signal["handle"], [])
        if all(s["id"] != signal["id"] for s in known):
            clean = {k: self._redactor.value(signal.get(k)) for k in ("id", "status", "reason", "data")}
            known.append(clean)
            self._events.append(Event("signal.received", signal.get("path", ""), 0, "", {"handle": signal["handle"], **clean}))
        for key, waiting in list(self._waiting.items()):
            if waiting.action.gate is not None and waiting.action.gate.handle == signal["handle"]:
                self._judge(key)

    def _judge(self, key: str) -> None:
        waiting = self._waiting[key]
        gate = waiting.action.gate
        assert gate is not None
        received = self._recorded.signals.get(gate.handle, [])
        found = verdict(received, gate.count)
        if found is None:
            return
        del self._waiting[key]
        self._runner.free(key)
        if found == "FAILURE":
            hint = "what the guest did before it said so stands in its console: stack-run logs STACK SERVER"
            error = FailedError(f"a signal said FAILURE: {failure_text(received)}", tail=self._tail(waiting), hint=hint)
            self._end_badly(waiting.action, error, True, spent=gate.handle)
        else:
            self._ready(waiting.action, waiting.info, received)

    def _ready(self, action: Action, info: ResourceTypeInfo, received: list[dict[str, Any]]) -> None:
        instance = self._recorded.instances[action.instance.id]
        try:
            opened = instance.but(attributes=self._resolution.opened(instance.attributes))
            context = ActionContext(self._parts, opened, info, self._hosts(instance.host), {}, lambda _message: None, {})
            attributes = self._resolution.sealed(info.handler.ready(context, self._resolution.opened(instance.properties), received), info)
        except Exception as error:  # what came is not what the type expects
            self._end_badly(action, error, True)
            return
        self._reached(action, "ready", attributes)

    def _end_badly(self, action: Action, error: BaseException, after_configured: bool, *, begun: bool = True, spent: str = "") -> None:
        """Record a failure. ``begun``: whether it may have touched the host; ``spent``: the handle whose FAILURE it was, so that it counts once."""
        self._limits.pop(action.id, None)
        failure = describe(action, error, self._redactor)
        self.failures.append(failure)
        payload = {
            "error": {"type": action.instance.type, "message": failure.message, "hint": failure.hint, "host": failure.host,
                      "libvirt_code": failure.libvirt_code, "tail": failure.tail, "mark": str(action.mark)},
            "after_configured": after_configured, **({} if begun else {"begun": False}), **({"spent": spent} if spent else {}),
        }  # fmt: skip
        if spent:
            fold.forget_signals(self._recorded, spent, "FAILURE")
        event = Event("action.failed", action.path, action.instance.generation, action.verb, payload)
        known = self._recorded.instances.get(action.instance.id)
        if known is None or not begun:
            self._events.append(event)
        else:
            self._record(event, fold.failed(known, action.verb, after_configured))
        self.walk.fail(action)

    def _tail(self, waiting: _Waiting) -> str:
        """The console of the guests that the action refers to: what they were doing when they should have signalled."""
        tails = []
        instance = self._recorded.instances[waiting.action.instance.id]
        for id_ in sorted(instance.refs):
            other = self._recorded.instances.get(id_)
            info = self._registry.get(other.type) if other else None
            if other is not None and info is not None and info.schema.get("console"):
                try:
                    tails.append(f"--- {other.path}\n{self._hosts(other.host).domain_console_tail(str(other.identity['uuid']), 1500)}")
                except Exception as error:  # the tail is a courtesy: the failure itself must be recorded whatever the host says now
                    tails.append(f"--- {other.path}: {error}")
        return "\n".join(tails)

    # small things

    def _info(self, action: Action) -> ResourceTypeInfo:
        info = self._registry.get(action.instance.type)
        if info is None:
            raise LookupError(f"resource type {action.instance.type} of {action.path} is not installed")
        return info

    def _record(self, event: Event, instance: Instance) -> None:
        self._events.append(event)
        self._changed[instance.id] = instance
        fold.put(self._recorded, instance)


def _slot(action: Action, info: ResourceTypeInfo) -> str:
    """What the action does to a host that only few may do at a time; what goes away starts and copies nothing."""
    if action.verb in ("copy", "restore", "snapshot", "move"):
        return "image-copy"
    return str(info.schema.get("slot", "call")) if action.verb in ("create", "update") else "call"


def _run(key: str, work: Callable[[], Any]) -> Result:
    try:
        return Result(key, work())
    except Exception as error:  # handed on as the action's failure
        return Result(key, error=error)
