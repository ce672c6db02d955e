"""``make_plan``: choose, contribute, order, and say why; the result is fully lowered."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from stackengine.evaluate import Secrets, resolve
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Claim, Instance, Recorded
from stackengine.model.mark import NOWHERE
from stackengine.model.values import has_unknown
from stackengine.planning import copies
from stackengine.planning.choice import Choice
from stackengine.planning.choose import Chooser, apply_contributions, contributions, dependency_order
from stackengine.planning.diff import strongest
from stackengine.planning.external import check_untouched
from stackengine.planning.ground import Ground
from stackengine.planning.hostchecks import check_host
from stackengine.planning.moves import alike
from stackengine.planning.order import Order, Step
from stackengine.planning.plan import Action, Change, Phase, Plan
from stackengine.planning.protection import check_protected
from stackengine.planning.spread import PIECES, spread
from stackengine.registry import Registry
from stackengine.sdk import Gate


def make_plan(
    desired: Desired, recorded: Recorded, ground: Ground, registry: Registry, *, targets: Collection[str] = (),
    replace: Mapping[str, int] = MappingProxyType({}), secrets: Secrets | None = None, skip: Collection[str] = (),
) -> Plan:  # fmt: skip
    """The plan from ``recorded`` to ``desired`` (sealed: no Sensitive left). Errors stand in ``Plan.diagnostics``.

    ``targets``: only these paths and what they depend on. ``replace``: paths that get a new generation by force, with the first generation that will do
    (so that a resumed operation finishes the one that it began, and a rollback takes the one before).
    ``skip``: paths that are left as they are, whatever they are.
    ``secrets`` opens and seals what functions make of secrets; without it such values stay unknown.
    """
    diagnostics = Diagnostics()
    desired = spread(desired, ground, registry, diagnostics)
    wanted = _only(desired, targets, diagnostics) if targets else desired
    for path in replace:
        if path not in desired.resources and not ground.returning:
            diagnostics.error("L106", f"there is no resource {path} to replace")
    wanted = _without(wanted, skip, recorded, diagnostics)
    excluded: dict[str, list[Change]] = {}
    while True:
        chooser = Chooser(wanted, recorded, ground, registry, diagnostics, secrets, frozenset(skip))
        choices = chooser.run(replace, excluded)
        more = apply_contributions(choices)
        if not more or diagnostics.errors:
            break
        excluded |= more
    copies.take(choices, recorded, ground)
    left = (desired.resources.keys() - wanted.resources.keys() if targets else set()) | set(skip)
    kept = frozenset(i.id for i in recorded.instances.values() if i.path in left)
    steps = Order(choices, recorded.instances, kept, registry, diagnostics, undoing=ground.undoing, dead=ground.dead).steps()
    ordered = _topological(steps, diagnostics)
    maker = _Actions(registry, recorded, choices, diagnostics, ground.dead)
    actions = {s.id: maker.action(s) for s in ordered}
    check_host(choices, ground, diagnostics)
    if any(c.instance.external for c in choices.values()):
        check_untouched(choices, contributions(choices), diagnostics)
    if not ground.returning:
        _suggest_moves(actions, diagnostics)
    check_protected([a for a in actions.values() if a.instance.id not in ground.undoing], diagnostics)
    claims = tuple(sorted({c for a in actions.values() for c in a.new_claims}, key=_claim_key))
    return Plan(
        actions=actions,
        chosen={p: c.instance.id for p, c in choices.items()},
        unchanged=tuple(c.instance.id for c in choices.values() if c.kind == "keep"),
        claims=claims,
        diagnostics=tuple(diagnostics),
        outputs={o.name: resolve(o.value, chooser.lookup, secrets) for o in desired.outputs.values()} if not targets else {},
    )


def _suggest_moves(actions: Mapping[str, Action], diagnostics: Diagnostics) -> None:
    paths = {a.path for a in actions.values() if a.verb == "create"}
    deleted = [a.instance for a in actions.values() if a.verb == "delete" and a.holds_data and a.path not in paths and a.instance.sure]
    created = [a.instance for a in actions.values() if a.verb == "create" and a.previous is None] if deleted else []
    mark = {a.path: a.mark for a in actions.values()}
    for old, new in alike(deleted, created):
        hint = f"if it was renamed: stackengine: {{moved_from: {old}}} in the metadata of {new}, or stack-run mv STACK {old} {new}"
        diagnostics.notice("L133", f"{old} would be deleted, and {new}, which is just like it, would be made", mark[new], hint)


def _claim_key(claim: Claim) -> tuple[str, str, str]:
    return (claim.host, claim.kind, claim.value)


def _only(desired: Desired, targets: Collection[str], diagnostics: Diagnostics) -> Desired:
    """``desired`` cut down to ``targets`` and everything below them."""
    queue, closure = [], set()
    for target in targets:
        if target in desired.resources:
            queue.append(target)
        else:
            diagnostics.error("L105", f"there is no resource {target}", hint="see 'stack-run graph'")
    while queue:
        path = queue.pop()
        if path not in closure:
            closure.add(path)
            queue.extend(d.path for d in desired.resources[path].depends)
    return Desired({p: r for p, r in desired.resources.items() if p in closure}, {}, desired.scopes, desired.description, desired.timeout, desired.extra)


def _without(desired: Desired, skip: Collection[str], recorded: Recorded, diagnostics: Diagnostics) -> Desired:
    """``desired`` without what is skipped and not there, nor anything that refers to that; what is there is left as it is."""
    there = {i.path for i in recorded.instances.values()}
    out = {path for path in skip if path not in there}
    for path in skip:
        if path not in there and path not in desired.resources:
            diagnostics.error("L131", f"there is no resource {path} to skip", hint="see 'stack-run show'")
    for path in dependency_order(desired):
        needs = next((d.path for d in desired.resources[path].depends if d.path in out), None) if path not in out else None
        if needs is not None:
            out.add(path)
            diagnostics.warning("L132", f"{path} is skipped too: it needs {needs}, which is skipped and not there")
    if not out:
        return desired
    return dataclasses.replace(desired, resources={p: r for p, r in desired.resources.items() if p not in out})


def _topological(steps: dict[str, Step], diagnostics: Diagnostics) -> list[Step]:
    """Main steps first, the cleanup tail last, each in dependency order."""
    sorter: TopologicalSorter[str] = TopologicalSorter({s.id: s.after.keys() for s in steps.values()})
    try:
        order = [steps[i] for i in sorter.static_order()]
    except CycleError as error:
        diagnostics.error("L107", f"these steps wait for each other: {' -> '.join(error.args[1])}", hint="change them in two updates")
        return []
    return sorted(order, key=lambda s: _phase(s) == "tail")


def _phase(step: Step) -> Phase:
    if step.verb in ("delete", "retain", "snapshot", "discard"):
        return "early" if step.early else "tail"
    return "early" if step.verb in ("stop", "release") else "main"


_REASONS = {
    "stop": "what it has goes over to its successor; definition and disks stay",
    "snapshot": "its policy says Snapshot: a copy stays on the host when it goes",
    "copy": "a rollback brings its disks back as they are now",
    "restore": "its disks are again as they were when the copy was taken",
    "discard": "what its disks held before is needed no more",
}


class _Actions:
    """Makes actions of steps."""

    def __init__(
        self, registry: Registry, recorded: Recorded, choices: dict[str, Choice], diagnostics: Diagnostics, dead: frozenset[str] = frozenset()
    ) -> None:  # fmt: skip
        self._dead = dead
        self._registry, self._by_path, self._choices, self._diagnostics = registry, recorded.by_path(), choices, diagnostics
        self._replaced = {c.instance.path: c for c in choices.values() if c.old is None}

    def action(self, step: Step) -> Action:
        """The action of one step, with reason and notes."""
        return self._main(step, step.choice) if step.choice is not None else self._other(step)

    def _main(self, step: Step, choice: Choice) -> Action:
        before = choice.old or self._before(step.instance)
        holds = step.instance.refs | (choice.old.holds if choice.old else frozenset())
        effect = "replace" if step.verb == "create" and before is not None and choice.old is None else strongest(c.effect for c in choice.changes)
        info, own = choice.info, not step.instance.external
        return Action(
            step.id, step.verb, _with_holds(step.instance, holds), choice.reason, tuple(step.after.values()), tuple(choice.changes), effect, "main",
            gate=_gate(choice, step.instance) if own else None, previous=before, possible_replace=choice.maybe,
            copy=choice.restore, notes=_notes(step, effect, choice, self._dead), mark=choice.resource.mark_of(),
            holds_data=own and info.handler.holds_data(step.instance.properties),
        )  # fmt: skip

    def _before(self, instance: Instance) -> Instance | None:
        olds = self._by_path.get(instance.path, ())
        older = [i for i in olds if i.generation < instance.generation and i.status != "deleting" and not i.external and not instance.external]
        return max(older, key=lambda i: i.generation, default=None)

    def _other(self, step: Step) -> Action:
        old, info = step.instance, self._registry.get(step.instance.type)
        successor = self._choices.get(old.path)
        notes: tuple[str, ...] = ("rollback has to build it again",) if step.early and step.verb == "delete" else ()
        if step.verb == "copy" and info is not None:
            size = info.handler.demand(old.properties).disk
            notes = (f"takes up to {size >> 30} GiB of room until the update has ended well",) if size else ()
        if step.verb == "restore":
            notes = ("what was written to its disks since the copy was taken is lost",)
        if step.verb == "snapshot" and info is not None:
            kept = info.handler.copies(old.identity, old.properties)
            notes = tuple(f"the copy is {place}" for place in kept)
            if not kept:
                self._diagnostics.error("L130", f"{old.path}: of a {old.type} no copy can be kept", hint="its policy says Snapshot: say Delete or Retain")
        data = info is not None and info.handler.holds_data(old.properties)
        mark = successor.resource.mark_of() if successor is not None else NOWHERE
        return Action(
            step.id, step.verb, old, step.reason or self._reason(step), tuple(step.after.values()), phase=_phase(step), previous=old, of=step.of,
            copy=step.copy, notes=notes, mark=mark, holds_data=data,
        )  # fmt: skip

    def _reason(self, step: Step) -> str:
        old, successor = step.instance, self._choices.get(step.instance.path)
        if step.verb == "release":
            return f"{step.of} is deleted before its successor can come"
        if step.verb in _REASONS:
            return _REASONS[step.verb]
        if old.external:
            return "it is not the stack's: it stays as it is"
        if old.host in self._dead:
            return f"{old.host} is dead: nothing is done there"
        if old.status == "deleting":
            return "its deletion was begun before"
        if successor is not None:
            return f"replaced by {successor.instance.id}"
        return "no longer in the template" if self._choices else "the whole stack goes"


def _gate(choice: Choice, instance: Instance) -> Gate | None:
    """The gate; away from its network's host neither a lease nor an open port of a guest is seen, so its agent is waited for."""
    gate = choice.info.handler.gate(instance.identity, instance.properties)
    away = any(d.via == PIECES for d in choice.resource.depends)
    return dataclasses.replace(gate, kind="agent") if gate is not None and away and gate.kind in ("lease", "tcp") else gate


def _with_holds(instance: Instance, holds: frozenset[str]) -> Instance:
    return dataclasses.replace(instance, holds=holds) if holds != instance.holds else instance


def _notes(step: Step, effect: str, choice: Choice, dead: frozenset[str]) -> tuple[str, ...]:
    """What the user should know beforehand: interruptions, and what a rollback cannot take back."""
    found = [f"{step.instance.path} is restarted"] if effect == "reboot" else []
    old = choice.old
    if step.verb == "create" and old is not None and old.host in dead:
        data = choice.info.handler.holds_data(old.properties)
        found.append(f"it is made again as it was first, and what its disks held is lost with {old.host}" if data else "it is made again")
    if choice.copy is not None:
        return tuple(found)
    if choice.uncopied:
        found.append(f"a rollback cannot bring its disk back: {choice.uncopied}")
    if old is not None and old.sure and not old.external and choice.restore is None and choice.changes and not has_unknown(step.instance.properties):
        found += [f"a rollback leaves {r.prop} as it will be: {r.reason}" for r in choice.info.handler.lasting(step.instance.properties, old.properties)]
        found += choice.info.handler.unrestored(old.properties, step.instance.properties)
    return tuple(found)
