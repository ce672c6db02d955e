"""The plan rules said a second time, for things only, without any of the planner's code: what it chooses, what is early, and what must not be undone.

A reference model to compare plans with. It knows nothing of reasons, marks or claims, and works on sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.model.desired import Desired
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import Unknown
from stackengine.planning.plan import Plan

Verbs = dict[tuple[str, str], Any]
"""(verb, instance) -> action."""

FOR_GOOD = ("kind", "name", "devices", "base", "spans", "sprung")
"""Properties of a thing that cannot change."""


def compare(plan: Plan, desired: Desired, recorded: Recorded, forced: Mapping[str, int], returning: bool = False) -> None:
    """AssertionError where the plan is not what the rules say. ``forced``: path -> the first generation that will do; ``returning``: it goes back."""
    chosen = plan.chosen
    assert chosen.keys() == desired.resources.keys(), "every path has one instance"
    verbs: Verbs = {(a.verb, a.instance.id): a for a in plan.actions.values() if a.verb != "release"}
    for path, id_ in chosen.items():
        _one_choice(path, id_, recorded, verbs, forced.get(path, 0))
    gone = set(recorded.instances) - set(chosen.values())
    assert not [a.id for a in plan.actions.values() if a.instance.external and a.verb not in ("read", "retain")], "what is not the stack's is touched"
    ends = {a.instance.id for a in plan.actions.values() if a.verb in ("delete", "retain")}
    assert ends == gone, f"what is not chosen goes, and nothing else: {ends ^ gone}"
    _early(plan, recorded, verbs)
    _edges(plan, desired, recorded, chosen)
    _disks(plan, desired, recorded, verbs, returning=returning)


def _one_choice(path: str, id_: str, recorded: Recorded, verbs: Verbs, least: int) -> None:
    old = recorded.instances.get(id_)
    if ("read", id_) in verbs:
        instance = verbs["read", id_].instance
        assert instance.external, f"{id_} is the stack's own, and only read"
        assert old is None or old.external, f"{id_} was the stack's own"
        return
    assert old is None or not old.external or old.sure, f"{id_} is not sure, and nothing is done"
    acts = [v for v in ("create", "update") if (v, id_) in verbs]
    assert len(acts) <= 1, f"{id_} is both created and updated"
    if old is None:
        assert acts == ["create"], f"{id_} is new, and not created"
        usable = [i.id for i in recorded.of(path) if i.generation >= least and _fits(i, verbs["create", id_].instance)]
        assert not usable, f"{id_} is made, and {usable} would have done"
        return
    assert old.status != "deleting", f"{id_} is going, and was chosen"
    if not acts:
        assert old.sure, f"{id_} is not sure, and nothing makes it sure"
        assert old.status == "ready", f"{id_} is {old.status}, and nothing is done"
    elif not old.sure:
        assert acts == ["create"], f"{id_} is not sure, and is updated instead of made sure"
    elif ("restore", id_) in verbs:
        assert acts == ["create"], f"{id_} is brought back, and not made sure"
    else:
        assert acts == ["update"], f"{id_} is there, and is created"


def _fits(old: Instance, new: Instance) -> bool:
    """Whether ``old`` could stand for what ``new`` was made for."""
    if old.status == "deleting" or old.type != new.type or old.external:
        return False
    pairs = [(old.properties.get(k), new.properties.get(k)) for k in FOR_GOOD]
    pairs.append((old.contributed.get("spans"), new.contributed.get("spans")))
    return all(one == other or isinstance(other, Unknown) for one, other in pairs)


def _disks(plan: Plan, desired: Desired, recorded: Recorded, verbs: Verbs, *, returning: bool) -> None:
    """What grows is copied before, on the way forward; what grew comes back, on the way back; nobody uses it meanwhile; the copies go in the tail."""
    before, ends = _closure(plan), {a.instance.id: a.id for a in plan.actions.values() if a.verb in ("delete", "retain")}
    for id_, old in recorded.instances.items():
        main = verbs.get(("update", id_)) or verbs.get(("create", id_))
        want = main.instance.properties.get("room", 0) if main else old.properties.get("room", 0)
        had, brought = old.properties.get("room", 0), verbs.get(("restore", id_))
        halves = [c.id for c in old.copies if c.status == "restoring"]
        whole = [c for c in old.copies if c.status == "whole"]
        fits = [c.id for c in whole if returning and want == c.properties.get("room", 0) < had]
        if main:
            assert bool(brought) == bool(halves or fits), f"{id_} has {had} room, is to have {want}, and has copies {old.copies}"
        if brought:
            assert brought.of == (halves or fits[-1:])[0], f"{id_} comes back from {brought.of}"
            assert main
            assert brought.id in before[main.id], f"{main.id} before {brought.id}"
            users = [h.id for h in recorded.instances.values() if id_ in h.holds and h.id != id_ and not h.external]
            for user in users:
                assert {f"release:{user}:{id_}", f"delete:{user}"} & before[brought.id], f"{brought.id} while {user} uses it"
                after = [a.id for v in ("create", "update", "delete", "retain") if (a := verbs.get((v, user)))]
                assert after, f"{user} is left as it was let go"
        copied = verbs.get(("copy", id_))
        if main and old.lived and not old.external:
            spared = desired.resources[old.path].policies.disk_copy == "never"
            assert bool(copied) == (not returning and not brought and want > had and not spared), f"{id_} has {had} room, is to have {want}"
        if copied:
            assert main
            assert copied.id in before[main.id], f"{main.id} before {copied.id}"
        tossed = verbs.get(("discard", id_))
        assert bool(tossed) == bool(old.copies or copied), f"copies of {id_}"
        if tossed and id_ in ends:
            assert tossed.id in before[ends[id_]], f"{ends[id_]} before {tossed.id}"
        elif tossed:
            assert tossed.phase == "tail", f"{tossed.id} before the point of no return"


def _early(plan: Plan, recorded: Recorded, verbs: Verbs) -> None:
    """Only what two cannot both have even stopped goes early, or what was going already and still has something that is wanted."""
    coming = [a for a in plan.actions.values() if a.verb == "create"]
    for action in plan.actions.values():
        if action.verb != "delete":
            continue
        id_, old = action.instance.id, recorded.instances[action.instance.id]
        collides = any(old.fixed & a.instance.fixed for a in coming if a.instance.id != id_)
        wanted = {t for a in plan.actions.values() if a.verb in ("create", "update") for t in a.instance.exclusive}
        half_gone = old.status == "deleting" and bool(old.exclusive & wanted)
        if action.phase == "early":
            assert collides or half_gone, f"{id_} goes early without need"
        else:
            assert not collides, f"{id_} goes in the tail, and its successor cannot come before"


def _edges(plan: Plan, desired: Desired, recorded: Recorded, chosen: dict[str, str]) -> None:
    """Rules 1, 2 and 4 as facts about the order: whatever the edges are, these pairs are in it."""
    before = _closure(plan)
    of = {a.instance.id: a.id for a in plan.actions.values() if a.verb in ("create", "update")}
    for path, resource in desired.resources.items():
        for dependency in resource.depends:
            one, other = of.get(chosen[path]), of.get(chosen[dependency.path])
            if one and other:
                assert other in before[one], f"{one} may run before {other}"
                edge = next(e for e in plan.actions[one].after if e.action == other)
                assert dependency.need == "configured" or edge.need != "configured", f"{one} does not wait until {other} is ready"
    for holder in recorded.instances.values():
        for held in holder.holds - {holder.id}:
            _let_go(plan, before, holder.id, held, of)
    for taker in (a for a in plan.actions.values() if a.verb in ("create", "update")):
        for giver in recorded.instances.values():
            thing = giver.occupied & taker.instance.exclusive
            if giver.id != taker.instance.id and thing and not (giver.sure and giver.power == "stopped"):
                ways = [f"stop:{giver.id}", of.get(giver.id), f"delete:{giver.id}"]
                assert any(w in before[taker.id] for w in ways if w), f"{taker.id} takes {sorted(thing)} while {giver.id} has it"


def _let_go(plan: Plan, before: dict[str, set[str]], holder: str, held: str, of: dict[str, str]) -> None:
    end = f"delete:{held}"
    if end not in plan.actions:
        return
    ways = [f"release:{holder}:{held}", of.get(holder), f"delete:{holder}"]
    assert any(w in before[end] for w in ways if w), f"{end} while {holder} holds it"


def _closure(plan: Plan) -> dict[str, set[str]]:
    """For every action what has begun and got somewhere before it (plans are topological); the tail comes after everything else."""
    found: dict[str, set[str]] = {}
    head = {a.id for a in plan.actions.values() if a.phase != "tail"}
    for action in plan.actions.values():
        mine = {e.action for e in action.after}
        for edge in action.after:
            mine |= found[edge.action]
        found[action.id] = mine | head if action.phase == "tail" else mine
    return found
