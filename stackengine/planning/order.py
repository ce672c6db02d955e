"""The order of a plan: edges between actions by the plan rules 1 to 5, and which deletes are early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import DiskCopy, Instance
from stackengine.model.mark import NOWHERE
from stackengine.planning.choice import Choice
from stackengine.planning.choose import new_contributions
from stackengine.planning.plan import Edge, Verb
from stackengine.registry import Registry


@dataclass(slots=True)
class Step:
    """An action in the making."""

    id: str
    verb: Verb
    instance: Instance
    choice: Choice | None = None
    of: str = ""
    early: bool = False
    keep_copy: bool = False
    """delete: whether a copy is taken first."""
    copy: DiskCopy | None = None
    """copy, restore: which."""
    reason: str = ""
    """Why, where the verb alone does not say it."""
    after: dict[str, Edge] = field(default_factory=dict)

    def follow(self, other: Step, need: Literal["configured", "ready", "done"], why: str) -> None:
        """This one after ``other``; the stronger need of two stays."""
        known = self.after.get(other.id)
        if known is None or (known.need == "configured" and need != "configured"):
            self.after[other.id] = Edge(other.id, need, why)


class Order:
    """Builds the steps of one plan and the edges between them."""

    def __init__(
        self, choices: dict[str, Choice], recorded: Mapping[str, Instance], kept: frozenset[str], registry: Registry, diagnostics: Diagnostics, *,
        undoing: frozenset[str] = frozenset(), dead: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._dead = dead
        self.diagnostics, self._recorded, self._kept, self._registry = diagnostics, recorded, kept, registry
        self._chosen = {c.instance.id: c for c in choices.values()}
        self._by_physical = {c.instance.physical_id: i for i, c in self._chosen.items()}
        self._main = {i: _main_step(c) for i, c in self._chosen.items() if c.kind != "keep"}
        gone = {i: r for i, r in recorded.items() if i not in self._chosen and i not in kept}
        self._gone = {i: _delete_step(r, choices.get(r.path), undoing=r.id in undoing, dead=r.host in dead) for i, r in gone.items()}
        self._extra: dict[str, Step] = {}
        self._late: list[tuple[Step, Step]] = []
        """Stops, and the successors that wait for them."""

    def steps(self) -> dict[str, Step]:
        """All steps with their edges, in no particular order."""
        self._fixed()
        self._restores()
        self._references()
        moves = self._exclusive()
        self._holders()
        for step, old, thing in moves:
            self._move(step, old, thing)
        self._one_at_a_time()
        self._interrupt_late()
        self._copies()
        self._disk_copies()
        return {s.id: s for s in (*self._extra.values(), *self._main.values(), *self._gone.values())}

    def _references(self) -> None:
        """Rule 1: create or update X after everything that X refers to or depends on."""
        by_path = {c.instance.path: i for i, c in self._chosen.items()}
        for step in self._main.values():
            assert step.choice is not None
            for dependency in step.choice.resource.depends:
                before = self._main.get(by_path.get(dependency.path, ""))
                if before is not None:
                    step.follow(before, dependency.need, f"{dependency.via} refers to {dependency.path}")
            self._contributions(step)

    def _contributions(self, step: Step) -> None:
        """What a resource adds to another is there first: a guest must not ask for an address before its network knows of it."""
        assert step.choice is not None
        for target in new_contributions(step.choice):
            before = self._main.get(self._by_physical.get(target, ""))
            if before is not None and before is not step:
                step.follow(before, "configured", f"{before.instance.path} has to know of it first")

    def _exclusive(self) -> list[tuple[Step, Instance, str]]:
        """Rule 4: what two running objects cannot both have is handed over: the old one stops, keeps everything else, and goes in the tail.

        Returns what moves between two that stay (taker, giver, thing); :meth:`_move` orders that when all other edges are there.
        """
        self._nobody_shares()
        holders: dict[str, list[Instance]] = {}
        for old in self._recorded.values():
            for thing in old.occupied:
                holders.setdefault(thing, []).append(old)
        moves = []
        for step in self._main.values() if holders else ():
            for thing in sorted(step.instance.exclusive):
                for old in holders.get(thing, ()):
                    if old.id == step.instance.id or (old.sure and old.power == "stopped") or old.host in self._dead:
                        continue
                    if old.id in self._gone:
                        self._hand_over(step, old, thing)
                    elif old.id in self._main:
                        moves.append((step, old, thing))
        return moves

    def _nobody_shares(self) -> None:
        """Two that stay cannot both have an exclusive thing: the host would refuse the second one later."""
        owners: dict[str, Choice] = {}
        for choice in self._chosen.values():
            shared: dict[tuple[str, str], None] = {}
            for thing in sorted(choice.instance.exclusive):
                other = owners.setdefault(thing, choice)
                if other is not choice:
                    shared[f"{other.instance.path} and {choice.instance.path}", _in_words(thing)] = None
            for paths, thing in shared:
                self.diagnostics.error("L120", f"{paths} cannot both have {thing}", choice.resource.mark_of(), "give it to one of them")

    def _hand_over(self, step: Step, old: Instance, thing: str) -> None:
        why, delete = f"{_in_words(thing)} moves from {old.id} to {step.instance.id}", self._gone[old.id]
        if old.status == "deleting":
            delete.early = True
            step.follow(delete, "done", why)
            return
        stop = self._stop(old)
        step.follow(stop, "done", why)
        delete.follow(stop, "done", why)
        self._late.append((stop, step))

    def _move(self, step: Step, old: Instance, thing: str) -> None:
        """Between two that stay: the giver lets go in its update; where that has to come after the taker's, it stops before, and is started again by it."""
        why, giver = f"{_in_words(thing)} moves from {old.id} to {step.instance.id}", self._main[old.id]
        if not self._reaches(giver, step):
            step.follow(giver, "configured", why)
            return
        stop = self._stop(old)
        step.follow(stop, "done", why)
        giver.follow(stop, "done", "it was stopped before")

    def _interrupt_late(self) -> None:
        """A stop comes as late as possible: when everything else that the successor needs is there."""
        for stop, successor in self._late:
            for edge in list(successor.after.values()):
                before = self._main.get(edge.action.partition(":")[2])
                if before is not None and not self._reaches(before, stop):
                    stop.follow(before, "configured", "the interruption starts when its successor can start")

    def _stop(self, old: Instance) -> Step:
        return self._extra.setdefault(f"stop:{old.id}", Step(f"stop:{old.id}", "stop", old))

    def _reaches(self, step: Step, target: Step) -> bool:
        """Whether ``step`` comes after ``target``."""
        seen, queue = set(), [step.id]
        everything = {s.id: s for s in (*self._extra.values(), *self._main.values(), *self._gone.values())}
        while queue:
            current = queue.pop()
            if current == target.id:
                return True
            if current not in seen:
                seen.add(current)
                queue.extend(everything[current].after)
        return False

    def _fixed(self) -> None:
        """Rule 5: what cannot exist twice even when stopped goes before its successor comes."""
        names: dict[str, list[Instance]] = {}
        for old in self._recorded.values():
            for thing in old.fixed:
                names.setdefault(thing, []).append(old)
        for step in self._main.values():
            if step.verb == "create":
                for thing in sorted(step.instance.fixed):
                    for old in names.get(thing, ()):
                        if old.id != step.instance.id:
                            self._early(step, old, thing)

    def _early(self, step: Step, old: Instance, thing: str) -> None:
        mark = step.choice.resource.mark_of() if step.choice else NOWHERE
        delete = self._gone.get(old.id)
        if delete is None:
            self.diagnostics.error("L104", f"{step.instance.path}: {thing} belongs to {old.path} of this stack", mark)
        elif delete.verb == "retain":
            policy = f"{old.id} is to be retained, and has {thing}, which cannot exist twice"
            self.diagnostics.error("L121", f"{step.instance.path} cannot come: {policy}", mark, "choose another one, or give up its deletion policy first")
        else:
            delete.early = True
            step.follow(delete, "done", f"{thing} cannot exist twice")

    def _holders(self) -> None:
        """Rule 2: delete D after every instance that recorded a hold on D was updated, released or deleted."""
        self._still_held()
        for holder in self._recorded.values():
            for held in holder.holds:
                delete = self._gone.get(held)
                if delete is None or held == holder.id:
                    continue
                if delete.early:
                    self._release(holder, delete)
                elif holder.id in self._gone:
                    delete.follow(self._gone[holder.id], "done", f"{holder.id} holds it")
                elif holder.id in self._main:
                    delete.follow(self._main[holder.id], "configured", f"{holder.id} lets go of it")

    def _still_held(self) -> None:
        """What an instance that this plan leaves alone (``--target``) holds stays, and what that holds; a later plan deletes it."""
        queue = [self._recorded[i] for i in sorted(self._kept)]
        while queue:
            holder = queue.pop()
            for delete in [self._gone[h] for h in sorted(holder.holds) if h in self._gone]:
                if delete.early:
                    why = f"{delete.instance.id} has to go before its successor can come, and {holder.path} holds it"
                    self.diagnostics.error("L122", why, hint=f"--target {holder.path}, too")
                else:
                    queue.append(self._gone.pop(delete.instance.id).instance)

    def _one_at_a_time(self) -> None:
        """Several releases of one object, and its stop, follow each other: a host takes one change of an object at a time."""
        rows: dict[str, list[Step]] = {}
        for step in sorted(self._extra.values(), key=lambda s: (s.verb == "stop", s.id)):
            rows.setdefault(step.instance.id, []).append(step)
        for row in rows.values():
            for before, after in pairwise(row):
                after.follow(before, "done", "one change of an object at a time")

    def _copies(self) -> None:
        """What a policy says to keep a copy of is copied right before it goes, when nobody writes to it any more."""
        for step in self._gone.values():
            if step.verb == "delete" and step.keep_copy:
                copy = Step(f"snapshot:{step.instance.id}", "snapshot", step.instance, early=step.early, after=dict(step.after))
                self._extra[copy.id] = copy
                step.follow(copy, "done", "a copy of it is kept")

    def _disk_copies(self) -> None:
        """A copy is taken right before its disks are changed, and brought back before anything else is done to them; all of them go in the tail."""
        for id_, main in self._main.items():
            choice = main.choice
            if choice is not None and choice.copy is not None and choice.old is not None:
                copy = Step(f"copy:{id_}:{choice.copy.id}", "copy", choice.old, of=choice.copy.id, copy=choice.copy, after=dict(main.after))
                self._extra[copy.id] = copy
                main.follow(copy, "done", "so that its disks can be brought back")
        for id_, old in self._recorded.items():
            chosen = self._chosen.get(id_)
            if id_ in self._kept or not (old.copies or (chosen is not None and chosen.copy is not None)):
                continue
            discard = Step(f"discard:{id_}", "discard", old)
            self._extra[discard.id] = discard
            gone = self._gone.get(id_)
            if gone is not None:
                discard.early = gone.early
                gone.follow(discard, "done", "the copies of its disks go first")

    def _restores(self) -> None:
        """What comes back from a copy is used by nobody meanwhile: whoever holds it lets go before, and gets it again after.

        A guest's own disk is used by nobody else: it goes off by itself when it comes back.
        """
        for id_, main in list(self._main.items()):
            choice = main.choice
            if choice is None or choice.restore is None or choice.old is None:
                continue
            restore = Step(f"restore:{id_}:{choice.restore.id}", "restore", choice.old, of=choice.restore.id, copy=choice.restore)
            self._extra[restore.id] = restore
            main.follow(restore, "done", "its disks come back first")
            if choice.info.schema.get("console"):
                continue
            for holder in [i for i in self._recorded.values() if id_ in i.holds and i.id != id_ and not i.external]:
                self._stands_aside(holder, restore)
                release, aside = self._release(holder, restore), f"it stands aside while {choice.instance.path} comes back"
                if release.verb == "release":
                    release.reason = aside
                info = self._registry.get(holder.type)
                guests = info.handler.guests(holder.identity, holder.properties) if info is not None else []
                for guest in [i for i in self._recorded.values() if i.physical_id in guests and not i.external]:
                    self._stands_aside(guest, restore)
                    stop, after = self._stop(guest), self._gone.get(guest.id) or self._main.get(guest.id)
                    stop.reason = aside
                    release.follow(stop, "done", f"{guest.id} uses it")
                    if after is not None:
                        after.follow(restore, "done", f"{choice.instance.path} comes back first")

    def _stands_aside(self, user: Instance, restore: Step) -> None:
        """Whoever is stopped, or lets go, is brought to what it should be again, also where nothing else is done to it."""
        path, chosen = restore.instance.path, self._chosen.get(user.id)
        if user.id in self._kept:
            why = f"{path} comes back from its copy, and {user.path}, which uses it, is left alone"
            self.diagnostics.error("L144", why, hint=f"leave {user.path} to the rollback, or skip {path}, too")
        elif chosen is not None and chosen.kind == "keep":
            chosen.kind, chosen.reason = "update", f"it stands aside while {path} comes back"
            self._main[user.id] = _main_step(chosen)

    def _release(self, holder: Instance, delete: Step) -> Step:
        """``holder`` lets go before; the step by which it does."""
        if holder.id in self._gone and self._gone[holder.id].early:
            delete.follow(self._gone[holder.id], "done", f"{holder.id} holds it")
            return self._gone[holder.id]
        id_ = f"release:{holder.id}:{delete.instance.id}"
        release = self._extra.setdefault(id_, Step(id_, "release", holder, of=delete.instance.id))
        delete.follow(release, "done", f"{holder.id} holds it")
        after = self._gone.get(holder.id) or self._main.get(holder.id)
        if after is not None:
            after.follow(release, "done", "it was released before")
        return release


def _in_words(thing: str) -> str:
    """An exclusive thing as people know it: an address without the id of its network."""
    kind, _, value = thing.partition(":")
    return f"the address {value.rpartition('/')[2]}" if kind in ("address", "answers") else thing


def _main_step(choice: Choice) -> Step:
    assert choice.kind != "keep"
    return Step(f"{choice.kind}:{choice.instance.id}", choice.kind, choice.instance, choice)


def _delete_step(old: Instance, successor: Choice | None, *, undoing: bool, dead: bool) -> Step:
    if old.external or dead:
        return Step(f"retain:{old.id}", "retain", old)
    policy = old.policies.update_replace if successor is not None else old.policies.deletion
    made = old.sure or old.status not in ("creating", "deleting")
    retain = made and old.status != "deleting" and (policy == "Retain" or (policy == "RetainExceptOnCreate" and not undoing))
    verb: Verb = "retain" if retain else "delete"
    return Step(f"{verb}:{old.id}", verb, old, keep_copy=policy == "Snapshot" and made and not undoing)
