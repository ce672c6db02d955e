"""A work bench for one resource type: an example template, a host, and the handler's methods called one by one, as the engine calls them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from stackengine import formats
from stackengine.engine import journal as fold
from stackengine.engine.context import ActionContext, ContextParts
from stackengine.engine.redact import Redactor
from stackengine.engine.resolution import Resolution
from stackengine.evaluate import evaluate, seal
from stackengine.model.allowed import Allowed
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import SecretRef, Value
from stackengine.planning import make_plan
from stackengine.planning.ground import Ground
from stackengine.planning.plan import Action, Plan
from stackengine.registry import Registry, ResourceTypeInfo
from stackengine.sdk import Host, UnsupportedError

STACK, STACK_ID, STORE = "example", "00000000-0000-4000-8000-00000000000e", "00000000-0000-4000-8000-0000000000ff"
ROOM = 1 << 40
ALLOWED = Allowed(python=("stackengine.testing.echo:answer",))


class PlainVault:
    """Secrets of one bench, kept in memory."""

    def __init__(self) -> None:
        self._known: dict[str, Value] = {}

    def seal(self, value: Value) -> SecretRef:
        """Equal values give equal refs."""
        id_ = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
        self._known[id_] = value
        return SecretRef(id_, 1)

    def open(self, ref: SecretRef) -> Value:
        """The value."""
        return self._known[ref.id]


@dataclass(slots=True)
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.now += seconds


def sample_source(url: str, _sha256: str) -> tuple[BinaryIO, int, str]:
    """Stands for every image: a kernel image as ``tiny`` is, or one raw disk of 1 MiB whose bytes are named by the source."""
    scheme, _, rest = url.partition(":")
    if scheme in ("describe", "about"):
        parts = ("kernel", "initrd", "rootfs") if rest == "tiny" else ("disk",)
        known = {"kind": "kernel" if rest == "tiny" else "disk", "cmdline": "", "user": "root", "sources": {p: f"{rest}#{p}" for p in parts}}
        return _opened(json.dumps(known).encode())
    return _opened(hashlib.sha256(url.encode()).digest() * (1 << 15))


def _opened(content: bytes) -> tuple[BinaryIO, int, str]:
    return io.BytesIO(content), len(content), hashlib.sha256(content).hexdigest()


Source = Callable[[str, str], tuple[BinaryIO, int, str]]


@dataclass(slots=True)
class Bench:
    """One example on one host. ``subject`` is the path of the resource whose type is looked at."""

    info: ResourceTypeInfo
    registry: Registry
    host: Host
    template: Path
    preset: Mapping[str, Any] = field(default_factory=dict)
    """Properties that every resource has whose type knows them, whatever the example says."""
    source: Source = sample_source
    vault: PlainVault = field(default_factory=PlainVault)
    clock: Clock = field(default_factory=Clock)
    recorded: Recorded = field(default_factory=Recorded)
    desired: Desired = field(init=False)
    plan: Plan = field(init=False)
    subject: str = field(init=False)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desired = self._preset(self._sealed(desired_of(self.template, self.registry)))
        self.plan = self.planned(self.desired)
        explicit = [a.path for a in self.plan.actions.values() if a.instance.type == self.info.name and ":" not in a.path]
        if not explicit:
            raise AssertionError(f"{self.template}: this example has no {self.info.name}")
        self.subject = explicit[0]

    def _sealed(self, desired: Desired) -> Desired:
        return replace(desired, resources={p: replace(r, properties=seal(r.properties, self.vault)) for p, r in desired.resources.items()})

    def _preset(self, desired: Desired) -> Desired:
        """``desired`` with the preset where a type has such properties."""
        resources = {}
        for path, resource in desired.resources.items():
            known = self.registry.types[resource.type].properties
            resources[path] = replace(resource, properties={**resource.properties, **{k: v for k, v in self.preset.items() if k in known}})
        return replace(desired, resources=resources)

    def planned(self, desired: Desired) -> Plan:
        """The plan from what is recorded to ``desired``; UnsupportedError when the host cannot do it, AssertionError for any other fault."""
        profile = self.host.profile
        ground = Ground(STACK, STACK_ID, b"\x01" * 32, self.host.uri, profile, pools={"default": ROOM, "se-layers": ROOM}, store=STORE)
        plan = make_plan(desired, self.recorded, ground, self.registry, secrets=self.vault)
        wrong = [d for d in plan.diagnostics if d.severity == "error"]
        if wrong and all(d.code == "K101" for d in wrong):
            raise UnsupportedError("; ".join(d.summary for d in wrong))
        assert not wrong, "; ".join(d.summary for d in wrong)
        return plan

    def with_property(self, name: str, value: Value) -> Desired:
        """The desired state with one property of the subject changed."""
        resource = self.desired.resources[self.subject]
        changed = replace(resource, properties={**resource.properties, name: value})
        return replace(self.desired, resources={**self.desired.resources, self.subject: changed})

    def prepare(self) -> None:
        """Make everything that the subject needs and that is not made yet."""
        for action in self.plan.actions.values():
            if action.path == self.subject:
                return
            if action.instance.id not in self.recorded.instances:
                self.run(action)

    def action(self) -> Action:
        """The subject's own action in the present plan."""
        return next(a for a in self.plan.actions.values() if a.path == self.subject and a.verb in ("create", "update"))

    def instance(self) -> Instance | None:
        """The subject as recorded."""
        return next(iter(self.recorded.of(self.subject)), None)

    def run(self, action: Action) -> dict[str, Any]:
        """Carry one action out, as the executor does; what the handler returned."""
        info = self.registry.types[action.instance.type]
        resolution = Resolution(self.plan, self.desired, self.recorded, self.vault, Redactor())
        old = self.recorded.instances.get(action.instance.id)
        instance, plain, contributed = resolution.of(action)
        if old is not None:  # as a plan does that makes an unsure instance sure
            instance = replace(instance, attributes=old.attributes)
        begun = fold.begun(old, action.verb, instance)
        fold.put(self.recorded, begun)
        context = self._context(begun, info, contributed, resolution)
        if action.verb == "update" and old is not None:
            returned = info.handler.update(context, plain, resolution.opened(old.properties))
        else:
            returned = info.handler.create(context, plain)
        fold.put(self.recorded, fold.reached(begun, "ready", resolution.sealed(dict(returned), info)))
        return dict(returned)

    def _context(self, instance: Instance, info: ResourceTypeInfo, contributed: Mapping[str, Any], resolution: Resolution) -> ActionContext:
        parts = ContextParts(STACK, STACK_ID, STORE, lambda: None, self.clock.sleep, lambda: self.clock.now, self.source, allowed=ALLOWED)
        instance = replace(instance, attributes=resolution.opened(instance.attributes))
        return ActionContext(parts, instance, info, self.host, resolution.referred(instance), self.said.append, contributed)

    def on_subject(self, call: Callable[[ActionContext, dict[str, Any]], Any]) -> Any:
        """``call(context, properties)`` for the subject as it stands (as planned, when it was never begun)."""
        resolution = Resolution(self.plan, self.desired, self.recorded, self.vault, Redactor())
        known = self.instance()
        if known is None:
            known, plain, contributed = resolution.of(self.action())
        else:
            plain, contributed = resolution.opened(known.properties), resolution.opened(known.contributed)
        return call(self._context(known, self.info, contributed, resolution), plain)

    def create(self) -> dict[str, Any]:
        """Create the subject; what the handler returned."""
        return self.run(self.action())

    def read(self) -> dict[str, Any] | None:
        """Read the subject."""
        return self.on_subject(self.info.handler.read)  # type: ignore[no-any-return]

    def delete(self) -> None:
        """Delete the subject; its record stays."""
        self.on_subject(self.info.handler.delete)

    def clear(self) -> None:
        """Delete everything that was made, the last first."""
        made, self.plan = list(self.recorded.instances.values()), Plan()
        for instance in reversed(made):
            info = self.registry.types[instance.type]
            resolution = Resolution(self.plan, self.desired, self.recorded, self.vault, Redactor())
            context = self._context(instance, info, resolution.opened(instance.contributed), resolution)
            info.handler.delete(context, resolution.opened(instance.properties))
        self.recorded.instances.clear()

    def stop(self) -> None:
        """Stop the subject (hand-over)."""
        self.on_subject(self.info.handler.stop)

    def change(self, name: str, value: Value) -> Action:
        """Plan a change of one property; the subject's action in the new plan. UnsupportedError, and nothing is changed, where the plan refuses it."""
        desired = self.with_property(name, value)
        self.plan = self.planned(desired)
        self.desired = desired
        return self.action()


def desired_of(template: Path, registry: Registry) -> Desired:
    """An example, evaluated; AssertionError with every diagnostic when it is wrong."""
    diagnostics = Diagnostics()
    read = formats.load(template.read_text("utf-8"), str(template), formats.NoReader(), diagnostics)
    found = evaluate(read, {}, registry, stack_name=STACK, stack_id=STACK_ID, diagnostics=diagnostics) if read is not None else None
    if found is None:
        raise AssertionError("\n".join(f"{d.mark}: {d.code} {d.summary}" for d in diagnostics.errors))
    return found.desired
