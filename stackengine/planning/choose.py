"""Which instance stands for which path: keep, update in place, or a new generation (plan rules a, b, c)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Any

from stackengine.evaluate import PENDING, EvaluationError, Secrets, resolve
from stackengine.model.desired import COPIES, HOSTS, Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.instance import Claim, DiskCopy, Instance, Piece, Recorded
from stackengine.model.values import Value, has_unknown
from stackengine.planning import copies, external
from stackengine.planning.choice import Choice, same_policies
from stackengine.planning.diff import compare, compare_contributed, only_maybe, strongest, with_ignored
from stackengine.planning.ground import Ground
from stackengine.planning.identity import ClaimsBook, PathIdentities
from stackengine.planning.plan import Change
from stackengine.registry import Registry, ResourceTypeInfo
from stackengine.sdk import Contributed, Contribution, Referred, RefusedError


class Chooser:
    """One pass over the desired resources in dependency order."""

    def __init__(
        self, desired: Desired, recorded: Recorded, ground: Ground, registry: Registry, diagnostics: Diagnostics, secrets: Secrets | None = None,
        skip: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._secrets, self._skip = secrets, skip
        self.desired, self.recorded, self.ground, self.registry, self.diagnostics = desired, recorded, ground, registry, diagnostics
        self.choices: dict[str, Choice] = {}
        self._by_physical: dict[str, Choice] = {}
        self._by_path = recorded.by_path()
        self._book = ClaimsBook(ground, recorded)
        self._hosts: Mapping[str, str] = desired.extra.get(HOSTS, {})
        self._copies: Mapping[str, str] = desired.extra.get(COPIES, {})
        self._least: Mapping[str, int] = {}
        self._excluded: Mapping[str, Collection[Change]] = {}

    def run(self, least: Mapping[str, int], excluded: Mapping[str, Collection[Change]]) -> dict[str, Choice]:
        """Choose for every path.

        ``least``: the generation from which on a path's instances are what was asked for (a forced replacement); on the way back, what was made in
        vain, and the ones before it are. ``excluded``: instances that will not do, by what others contribute to them.
        """
        self._least, self._excluded = least, excluded
        for path in dependency_order(self.desired):
            choice = self._choose(self.desired.resources[path])
            if choice is not None:
                self.choices[path] = choice
                self._by_physical.setdefault(choice.instance.physical_id, choice)  # a copy comes after what it is one of
        return self.choices

    def referred(self, physical_id: Value) -> Referred | None:
        """A reference by physical id, as ``sdk.Identities.referred`` gives it."""
        choice = self._by_physical.get(physical_id) if isinstance(physical_id, str) else None
        if choice is None:
            return None
        i = choice.instance
        return Referred(i.path, i.type, i.physical_id, i.identity, i.properties, i.attributes, external=i.external)

    def lookup(self, path: str, attribute: str | None) -> Value:
        """What is known now of a path: its identity always, its attributes when nothing will be done to it."""
        choice = self.choices.get(path)
        if choice is None:
            return PENDING
        if attribute is None:
            return choice.instance.physical_id
        if attribute in choice.instance.identity:
            return choice.instance.identity[attribute]
        if choice.kind in ("keep", "read") or (choice.kind == "update" and not choice.changes):  # an unsure one may have got other attributes than are recorded
            return choice.instance.attributes.get(attribute, PENDING)
        return PENDING

    def _choose(self, resource: DesiredResource) -> Choice | None:
        info = self.registry.get(resource.type)
        if info is None:
            self.diagnostics.error("L101", f"resource type {resource.type} is not installed", resource.mark_of("type"), "see 'stack-run types'")
            return None
        if resource.external_id is not None:
            if resource.path in self._least and not self.ground.returning:
                why = f"{resource.path} is not the stack's, and is not replaced"
                self.diagnostics.warning("L139", why, resource.mark_of(), "leave --replace away, or name another object")
            return external.choose(resource, info, list(self._by_path.get(resource.path, ())), self.recorded, self.ground, self.diagnostics)
        if resource.path in self._skip and (left := self._current(resource.path)) is not None:
            return Choice(resource, info, left, "keep", [], left)
        try:
            want = resolve(resource.properties, self.lookup, self._secrets) if has_unknown(resource.properties) else resource.properties
        except EvaluationError as error:  # a function refused what is known by now
            self.diagnostics.error("L123", f"{resource.path}: {error}", error.mark)
            return None
        refs = frozenset(self.choices[d.path].instance.id for d in resource.depends if d.path in self.choices)
        return self._best(resource, info, want, refs) or self._new_generation(resource, info, want, refs)

    def _best(self, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value], refs: frozenset[str]) -> Choice | None:
        found: list[tuple[Instance, Choice]] = []
        least = self._least.get(resource.path, 0)
        for old in self._by_path.get(resource.path, ()):
            asked = old.generation >= least or self.ground.returning
            choice = self._as_candidate(old, resource, info, want, refs) if asked and old.id not in self._excluded else None
            if choice is not None:
                found.append((old, choice))
        best = max(found, key=lambda f: _rank(f[0], f[1], least))[1] if found else None
        for told in best.lasting if best is not None else ():
            if told not in self.diagnostics.items:
                self.diagnostics.items.append(told)
        return best

    def _as_candidate(self, old: Instance, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value], refs: frozenset[str]) -> Choice | None:
        """``old`` as the instance that stands for the path, or None where only a new object will do."""
        if old.status == "deleting" or old.external or old.type != resource.type or (old.status == "failed" and old.sure and info.handler.remake_failed):
            return None
        want = with_ignored(want, old, resource, info)
        taken = copies.usable(old, want, info.handler, returning=self.ground.returning) if old.copies else None
        want, lasting = self._with_lasting(want, old if taken is None else old.but(properties=taken.properties), resource, info)
        choice = self._changed(old, resource, info, want, refs, taken)
        if choice is not None:
            choice.lasting = lasting
        return choice

    def _changed(
        self, old: Instance, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value], refs: frozenset[str], taken: DiskCopy | None
    ) -> Choice | None:
        """How ``old`` becomes what is wanted; ``taken``: the copy that its disks come back from."""
        gone = old.id in self.recorded.observed and self.recorded.observed[old.id] is None
        observed = None if gone else self.recorded.observed.get(old.id)
        original = self._original(resource.path)
        if original is not None and original.physical_id != old.physical_id:
            return None
        target = self._host_of(resource.path)
        moves = not info.handler.inline and (old.host != target or bool(old.origin))
        if moves and not (info.handler.movable or old.host in self.ground.dead):
            return None
        rehomed = info.handler.inline and old.host != target  # a record only: it goes along when its stack leaves a host
        changes = compare(old, want, info, self.ground.on(target).profile, resource, observed)
        if any(c.effect == "replace" and not only_maybe(c) for c in changes):
            return None
        identity, claims = self._revised(old, resource, info, want) if changes else (old.identity, old.claims)
        protected = old.protected if resource.policies.protect is None else resource.policies.protect
        same = not rehomed and old.refs == refs and same_policies(old.policies, resource.policies) and old.protected == protected
        if not changes and same and taken is None and not moves and old.sure and not gone and old.status == "ready" and old.power in ("running", "saved"):
            return Choice(resource, info, old, "keep", [], old)
        instance = (old.on(target) if rehomed else old).but(
            identity=identity, claims=claims, properties=want, refs=refs, policies=resource.policies, schema_version=info.schema_version,
            protected=protected, exclusive=info.handler.exclusive(identity, want), attributes=old.attributes if taken is None else taken.attributes,
        )  # fmt: skip
        maybe = any(c.effect == "replace" for c in changes)
        if moves:
            return self._moved(resource, info, instance, old, target, changes)
        reason = ", ".join(c.prop for c in changes) + " changed" if changes else ""
        if taken is not None:
            return Choice(resource, info, instance, "create", changes, old, "its disks come back from the copy that was taken of them", maybe, restore=taken)
        if not old.sure or gone:
            why = "it is gone from the host" if gone else "an earlier operation did not finish it"
            return Choice(resource, info, instance, "create", changes, old, why, maybe)
        if changes:
            return Choice(resource, info, instance, "update", changes, old, reason, maybe)
        if old.status != "ready" or old.power not in ("running", "saved"):
            return Choice(resource, info, instance, "update", [], old, _unfinished(old))
        left = f"its stack left {old.host}" if rehomed else "its policies changed"
        return Choice(resource, info, instance, "update", [], old, "what it refers to was replaced" if old.refs != refs else left)

    def _original(self, path: str) -> Instance | None:
        """What a copy on another host is one of."""
        found = self.choices.get(self._copies.get(path, ""))
        return found.instance if found is not None else None

    def _host_of(self, path: str) -> str:
        return self._hosts.get(path, self.ground.host)

    def _moved(
        self, resource: DesiredResource, info: ResourceTypeInfo, instance: Instance, old: Instance, target: str, changes: list[Change]
    ) -> Choice:  # fmt: skip
        """``old`` on another host: it moves, or is made again there where the one that has it is dead. What is on its way may be at either end."""
        ends = [h for h in (old.host, old.origin) if h and h not in self.ground.dead]
        origin = next((h for h in ends if h != target), "")
        if not origin:
            lost = ", ".join(h for h in (old.host, old.origin) if h in self.ground.dead)
            return Choice(resource, info, instance.on(target), "create", changes, old, f"{lost} is dead" if lost else "it was on its way")
        why = info.handler.staying(instance.properties)
        if not why and old.exclusive and "migrate" not in self.ground.on(target).profile.features:
            why = f"{target} takes no guests that run"
        if why:
            hint = "stack-run up --replace makes it again there; stack-run rollback leaves it where it is"
            self.diagnostics.error("K125", f"{old.path} cannot move from {origin} to {target}: {why}", resource.mark_of(), hint)
        reason = f"from {origin} to {target}" + ("" if old.sure else ", as an earlier operation did not finish it")
        return Choice(resource, info, instance.on(target, origin=origin), "move", changes, old, reason)

    def _revised(
        self, old: Instance, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value]
    ) -> tuple[dict[str, Any], tuple[Claim, ...]]:
        """Identity and claims after an update in place."""
        ids = PathIdentities(self.ground, resource.path, old.generation, self._book, self.referred, self._host_of(resource.path))
        try:
            identity = info.handler.revised(ids, old.identity, old.attributes, old.properties, want)
        except RefusedError as error:
            self._refused(resource, error)
            return old.identity, old.claims
        return dict(identity), tuple(dict.fromkeys((*old.claims, *ids.claims)))

    def _refused(self, resource: DesiredResource, error: RefusedError) -> None:
        """Say it, unless the reason is that something which it refers to could not be had: that was said."""
        if all(d.path in self.choices for d in resource.depends if d.path in self.desired.resources):
            hint = error.hint or "choose another value, or leave it out"
            self.diagnostics.error("L103", f"{resource.path}: {error}", resource.mark_of(error.prop), hint)

    def _with_lasting(
        self, want: dict[str, Value], old: Instance, resource: DesiredResource, info: ResourceTypeInfo
    ) -> tuple[dict[str, Value], list[Diagnostic]]:
        """``want`` as far as it can be had: what cannot be taken back stays on the way back (and that is told), and is an error on the way forward."""
        told = []
        for refusal in info.handler.lasting(old.properties, want) if old.properties != want else ():
            mark, place = resource.mark_of(refusal.prop), f"{resource.path}.{refusal.prop}"
            found = Diagnostic("L108", f"{place}: {refusal.reason}", mark, refusal.hint)
            if self.ground.returning:
                told.append(Diagnostic("L109", f"{place} stays as it is: {refusal.reason}", mark, refusal.hint, "warning"))
                want = {**want, refusal.prop: old.properties[refusal.prop]}
            elif found not in self.diagnostics.items:
                self.diagnostics.items.append(found)
        return want, told

    def _new_generation(self, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value], refs: frozenset[str]) -> Choice | None:
        before = self._current(resource.path)
        if before is not None and not before.external and resource.policies.replace == "never":
            self.diagnostics.error(
                "L102", f"{resource.path} would be replaced, and its policy says never", resource.mark_of(), "take the change back, or lift the policy"
            )
            return None
        generation = self.recorded.generations.get(resource.path, 0) + 1
        host = self._host_of(resource.path)
        ids = PathIdentities(self.ground, resource.path, generation, self._book, self.referred, host)
        try:
            original = self._original(resource.path)
            identity = info.handler.identify(ids, want) if original is None else dict(original.identity)
        except RefusedError as error:
            self._refused(resource, error)
            return None
        piece = Piece("0", host, str(identity["physical_id"]))
        instance = Instance(
            resource.path, generation, resource.type, identity, want, refs, refs,
            exclusive=info.handler.exclusive(identity, want), fixed=info.handler.fixed(identity, want), host=host, pieces=(piece,),
            claims=tuple(ids.claims), policies=resource.policies, schema_version=info.schema_version,
            protected=bool(before and before.protected) if resource.policies.protect is None else resource.policies.protect,
        )  # fmt: skip
        changes, reason = self._why_new(before, resource, info, want)
        return Choice(resource, info, instance, "create", changes, None, reason)

    def _why_new(self, before: Instance | None, resource: DesiredResource, info: ResourceTypeInfo, want: dict[str, Value]) -> tuple[list[Change], str]:
        if before is None or before.external:
            return [], "it is not there yet"
        if before.type != resource.type:
            return [], f"its type changes from {before.type} to {resource.type}"
        profile = self.ground.on(self._host_of(resource.path)).profile
        changes = [*compare(before, want, info, profile, resource, None), *self._excluded.get(before.id, ())]
        forcing = [c.prop for c in changes if c.effect == "replace"]
        if forcing:
            return changes, f"{', '.join(forcing)} forces a replacement"
        if before.host != self._host_of(resource.path) and not info.handler.inline:
            return changes, f"it goes from {before.host} to {self._host_of(resource.path)}, and one of its type cannot move"
        asked = before.generation < self._least.get(resource.path, 0) and not self.ground.returning
        return changes, "its replacement was asked for" if asked else "the one before failed"

    def _current(self, path: str) -> Instance | None:
        alive = [i for i in self._by_path.get(path, ()) if i.status != "deleting"]
        return max(alive, key=lambda i: (i.sure, i.generation), default=None)


def _rank(old: Instance, choice: Choice, least: int) -> tuple[int, ...]:
    """How well an instance does, the larger the better; what comes first decides."""
    return (
        old.generation < least,  # only on the way back: from before what was made in vain
        choice.kind == "keep",  # plan rule a
        old.lived and not choice.lasting,  # it was whole, and becomes all that is wanted
        old.sure,
        old.lived,
        not choice.changes,
        old.generation,
    )


def _unfinished(old: Instance) -> str:
    if old.status == "configured":
        return "it was not ready yet"
    return "it failed before" if old.status == "failed" else "it was stopped or released"


def dependency_order(desired: Desired) -> Iterable[str]:
    """Paths, dependencies first; stable for equal input. Cycles were refused by ``evaluate``."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for path, resource in desired.resources.items():
        sorter.add(path, *(d.path for d in resource.depends if d.path in desired.resources))
    return sorter.static_order()


def contributions(choices: Mapping[str, Choice]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By the path of the receiver, by key: what others contribute, in a stable order."""
    paths = {c.instance.physical_id: p for p, c in choices.items()}
    collected: dict[str, dict[str, list[tuple[str, str, dict[str, Any]]]]] = {}
    for path, choice in choices.items():
        for item in _contributed_by(choice):
            target = paths.get(item.target) if isinstance(item.target, str) else None
            if target is not None:
                collected.setdefault(target, {}).setdefault(item.key, []).append((item.order, path, item.value))
    plain = {t: {k: [v for _, _, v in sorted(items, key=lambda i: i[:2])] for k, items in keys.items()} for t, keys in collected.items()}
    return {t: {k: found for k, items in keys.items() if (found := _followed(items, plain, paths))} for t, keys in plain.items()}


def _followed(items: list[dict[str, Any]], plain: Mapping[str, Mapping[str, list[Any]]], paths: Mapping[str, str], deep: int = 2) -> list[dict[str, Any]]:
    """``items`` with every :class:`Contributed` replaced by the list that it means, ``deep`` times over; those whose list is empty are left out."""
    found = []
    for item in items:
        lists = {k: plain.get(paths.get(v.target, ""), {}).get(v.key, []) for k, v in item.items() if isinstance(v, Contributed)}
        if deep > 1:
            lists = {k: _followed(items, plain, paths, deep - 1) for k, items in lists.items()}
        if all(lists.values()):
            found.append({**item, **lists})
    return found


def _contributed_by(choice: Choice) -> list[Contribution]:
    if choice.instance.external:  # it is no business of the stack's whom it adds to
        return []
    return choice.info.handler.contribute(choice.instance.identity, choice.instance.properties)


def new_contributions(choice: Choice) -> set[str]:
    """Physical ids of the receivers of what a choice contributes that its instance did not contribute before."""
    old = choice.old
    known = choice.info.handler.contribute(old.identity, old.properties) if old is not None and old.sure else []
    return {c.target for c in _contributed_by(choice) if c not in known and isinstance(c.target, str)}


def apply_contributions(choices: dict[str, Choice]) -> dict[str, list[Change]]:
    """Hand contributions to their receivers; returns the instances that will not do with what they get, and which changes those are."""
    collected: dict[str, dict[str, list[dict[str, Any]]]] = contributions(choices)
    excluded: dict[str, list[Change]] = {}
    for path, choice in choices.items():
        if choice.instance.external:
            continue
        want: dict[str, Value] = dict(collected.get(path, {}))
        if choice.old is None:
            if want:
                merged = {**choice.instance.properties, **want}
                fixed = choice.info.handler.fixed(choice.instance.identity, merged)
                choice.instance = choice.instance.but(contributed=want, fixed=fixed)
            continue
        changes = compare_contributed(choice.old, want, choice.info, choice.resource)
        if not changes:
            continue
        if strongest(c.effect for c in changes) == "replace":
            excluded[choice.old.id] = changes
            continue
        choice.instance = choice.instance.but(contributed=want)
        choice.changes.extend(changes)
        choice.kind = "update" if choice.kind == "keep" else choice.kind
        choice.reason = choice.reason or ", ".join(c.prop.removeprefix("contributed.") for c in changes) + " changed"
    return excluded
