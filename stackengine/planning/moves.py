"""Renaming logical ids: the object, its identity and its generation stay; only the path under which it is known changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from stackengine.events import Event
from stackengine.model.codec import instance_to_json
from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Map, Ref
from stackengine.model.instance import Claim, Instance, Recorded
from stackengine.model.values import Unknown, Value, map_leaves
from stackengine.sdk import DRIFT

Move = tuple[str, str]
"""(path before, path afterwards)."""


@dataclass(slots=True)
class Amendment:
    """A change of the records that a plan stands on; written before its operation begins."""

    events: list[Event] = field(default_factory=list)
    changed: dict[str, Instance | None] = field(default_factory=dict)
    claims: dict[Claim, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.events)


def moves_of(desired: Desired) -> list[Move]:
    """What a desired state says was renamed (``stackengine: {moved_from: …}``)."""
    return [(r.policies.moved_from, p) for p, r in desired.resources.items() if r.policies.moved_from]


def due(known: Iterable[Move], recorded: Recorded, target: Desired) -> list[Move]:
    """Which of the known moves (in either direction) lead from what is recorded to ``target``."""
    there = {i.path for i in recorded.instances.values()}
    both = [m for move in known for m in (move, move[::-1])]
    found: dict[str, str] = {}
    for old, new in both:
        if old in there and old not in target.resources and new in target.resources and new not in there and new not in found.values():
            found.setdefault(old, new)
    return list(found.items())


def rename(recorded: Recorded, moves: Iterable[Move]) -> tuple[Recorded, Amendment]:
    """The recorded state afterwards, and what has to be written for it. A renamed object counts as drifted until its host has the new name, too."""
    paths = dict(moves)
    ids = {i.id: f"{paths[i.path]}@{i.generation}" for i in recorded.instances.values() if i.path in paths}
    amendment, instances, observed = Amendment(), dict[str, Instance](), dict(recorded.observed)
    for instance in recorded.instances.values():
        new = replace(
            instance, path=paths.get(instance.path, instance.path), refs=frozenset(ids.get(r, r) for r in instance.refs),
            holds=frozenset(ids.get(h, h) for h in instance.holds),
        )  # fmt: skip
        instances[new.id] = new
        if new.id != instance.id:
            seen: dict[str, Value] = {DRIFT: [{"prop": "path", "expected": new.path, "found": instance.path, "why": "renamed"}]}
            amendment.events.append(Event("instance.moved", new.path, new.generation, "", {"from": instance.path, "instance": instance_to_json(new)}))
            amendment.events.append(Event("observed", new.path, new.generation, "", {"properties": seen}))
            amendment.changed |= {instance.id: None, new.id: new}
            amendment.claims |= dict.fromkeys(new.claims, new.id)
            observed.pop(instance.id, None)
            observed[new.id] = seen
        elif new != instance:
            amendment.events.append(Event("instance.imported", new.path, new.generation, "", {"instance": instance_to_json(new)}))
            amendment.changed[new.id] = new
    generations = {**recorded.generations, **{paths[p]: max(g, recorded.generations.get(paths[p], 0)) for p, g in recorded.generations.items() if p in paths}}
    return replace(recorded, instances=instances, generations=generations, observed=observed), amendment


def renamed(desired: Desired, moves: Mapping[str, str]) -> Desired:
    """A desired state with paths renamed, in every reference, too."""

    def value(found: Value) -> Value:
        return map_leaves(found, lambda leaf: Unknown(_in_expr(leaf.expr, moves)) if isinstance(leaf, Unknown) else leaf)

    def resource(old: DesiredResource) -> DesiredResource:
        path = moves.get(old.path, old.path)
        policies = replace(old.policies, moved_from=old.path) if path != old.path else old.policies
        depends = tuple(replace(d, path=moves.get(d.path, d.path)) for d in old.depends)
        return replace(old, path=path, properties=value(old.properties), depends=depends, policies=policies, metadata=value(old.metadata))

    made = [resource(r) for r in desired.resources.values()]
    outputs = {n: replace(o, value=value(o.value)) for n, o in desired.outputs.items()}
    return replace(desired, resources={r.path: r for r in made}, outputs=outputs)


def _in_expr(expr: Expr, moves: Mapping[str, str]) -> Expr:
    match expr:
        case Ref(target=target):
            return replace(expr, target=moves.get(target, target))
        case Attr(target=target, path=path):
            return replace(expr, target=moves.get(target, target), path=tuple(_in_expr(p, moves) for p in path))
        case Map(entries=entries):
            return replace(expr, entries=tuple(Entry(e.key, e.key_mark, _in_expr(e.value, moves)) for e in entries))
        case List(items=items):
            return replace(expr, items=tuple(_in_expr(i, moves) for i in items))
        case Call(args=args):
            return replace(expr, args=tuple(_in_expr(a, moves) for a in args))
        case If(condition=c, then=t, otherwise=o):
            return replace(expr, condition=_in_expr(c, moves), then=_in_expr(t, moves), otherwise=_in_expr(o, moves))
        case _:
            return expr


def alike(deleted: Iterable[Instance], created: Iterable[Instance]) -> Iterator[Move]:
    """Pairs of an object that goes and one that comes that look like one that was only renamed: same type, same properties."""
    fresh = list(created)
    for old in deleted:
        twins = [n for n in fresh if n.type == old.type and n.properties == old.properties]
        if len(twins) == 1:
            fresh.remove(twins[0])
            yield old.path, twins[0].path
