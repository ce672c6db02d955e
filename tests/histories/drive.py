"""Random histories: revisions of a stack, and what people and fate do to it. Every history is its seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from histories.chance import CALM, Odds
from histories.world import Spec, World, refused
from stackengine.hosts.memory.faults import Crash
from stackengine.service.types import OperationResult

PATIENCE = 12
"""Tries after which nothing goes wrong any more, so that it must converge."""


@dataclass
class Counts:
    """What happened in many histories."""

    histories: int = 0
    operations: int = 0
    crashes: int = 0
    failures: int = 0
    rollbacks: int = 0
    same: int = 0
    early: int = 0
    cancels: int = 0
    resumed: int = 0
    overtaken: int = 0
    refused: int = 0
    tails: int = 0
    copies: int = 0
    brought_back: int = 0
    by_hand: int = 0
    actions: int = 0
    seeds: list[int] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in vars(self).items() if name != "seeds")


def revision(rng: random.Random, old: dict[str, Spec], paths: list[str]) -> dict[str, Spec]:
    """The next revision: some resources go, some come, some change. What two cannot both have is given out once."""
    if old and rng.random() < 0.25:
        return _grown(rng, old)
    names, devices = [f"n{k}" for k in range(3)], [f"d{k}" for k in range(4)]
    rng.shuffle(names)
    rng.shuffle(devices)
    new: dict[str, Spec] = {}
    for path in paths:
        if rng.random() < 0.2:
            continue
        spec = _changed(rng, old[path], new) if path in old and rng.random() < 0.6 else _fresh(rng, new)
        if spec.get("external"):
            new[path] = spec
            continue
        spec["room"] = max(spec.get("room", 0), old.get(path, {}).get("room", 0))
        if spec.get("name"):
            spec["name"] = names.pop() if names and spec["name"] not in names else spec["name"] if spec["name"] in names else None
            if spec["name"] in names:
                names.remove(spec["name"])
        for kind in ("devices", "loans"):
            spec[kind] = [d for d in spec.get(kind) or () if d in devices]
            for device in spec[kind]:
                devices.remove(device)
            if devices and rng.random() < 0.2:
                spec[kind] = [*spec[kind], devices.pop()]
        new[path] = spec
    return new


def _grown(rng: random.Random, old: dict[str, Spec]) -> dict[str, Spec]:
    """What there is, with more room on some disks, and changes beside that can fail."""
    new = {path: dict(spec) for path, spec in old.items()}
    for spec in new.values():
        if not spec.get("external"):
            spec["room"] = spec.get("room", 0) + (rng.random() < 0.6)
            spec["mode"] = rng.randrange(2)
    return new


def _fresh(rng: random.Random, others: dict[str, Spec]) -> Spec:
    if rng.random() < 0.06:
        return {"external": f"f{rng.randrange(3)}"}
    spec: Spec = {"kind": rng.randrange(3), "size": rng.randrange(3), "mode": rng.randrange(2), "gate": rng.random() < 0.2}
    spec["room"] = rng.choice([0, 0, 1])
    known = sorted(others)
    own = [p for p in known if not others[p].get("external")]
    if known:
        spec["needs"] = rng.sample(known, rng.randrange(min(len(known), 2) + 1))
        for name, odds in (("base", 0.3), ("joins", 0.25), ("spans", 0.1)):
            if rng.random() < odds and (own or name == "base"):
                spec[name] = rng.choice(known if name == "base" else own)
        if rng.random() < 0.2:
            spec["learns"] = f"{rng.choice(known)}.serial"
        if rng.random() < 0.15 and own:
            spec["springs"] = f"{rng.choice(own)}.{rng.choice(['serial', 'size'])}"
        if rng.random() < 0.2:
            spec["after"] = [rng.choice(known)]
    if rng.random() < 0.25:
        spec["name"] = f"n{rng.randrange(3)}"
    if rng.random() < 0.3:
        spec["secret"] = rng.randrange(3)
    return spec


def _changed(rng: random.Random, old: Spec, others: dict[str, Spec]) -> Spec:
    spec = dict(old)
    if spec.get("external"):
        return spec
    spec["needs"] = [d for d in spec.get("needs") or () if d in others]
    spec["after"] = [d for d in spec.get("after") or () if d in others]
    for name in ("base", "joins", "spans"):
        if spec.get(name) and (spec[name] not in others or (name != "base" and others[spec[name]].get("external"))):
            spec.pop(name)
    for name in ("learns", "springs"):
        other = others.get(spec[name].partition(".")[0]) if spec.get(name) else {}
        if other is None or (name == "springs" and other.get("external")):
            spec.pop(name)
    for name, values, odds in (("kind", 3, 0.3), ("size", 3, 0.3), ("mode", 2, 0.2), ("secret", 3, 0.15)):
        if rng.random() < odds:
            spec[name] = rng.randrange(values)
    if rng.random() < 0.35:
        spec["room"] = spec.get("room", 0) + 1
    return spec


STORMS = (Odds(), Odds(fail=0.03), Odds(crash=0.03), Odds(fail=0.02, crash=0.02), Odds(fail=0.02, crash=0.01, cancel=0.03, gate=0.1), Odds(gate=0.3))


class History:
    """One stack's life."""

    def __init__(self, seed: int, world: World) -> None:
        self.rng, self.world = random.Random(f"history {seed}"), world
        self.counts = Counts(histories=1)
        self.paths = [f"r{k}" if k % 3 else f"part/{k}/r" for k in range(self.rng.randrange(2, 7))]  # some in nested scopes
        world.crew.turn = self._turn
        self._deep = False

    def _turn(self) -> None:
        """Somebody may ask to cancel."""
        world = self.world
        if world.stack_id and self.rng.random() < world.chance.odds.cancel:
            quiet, world.chance.quiet = world.chance.quiet, True
            if world.store.ask_cancel(world.stack_id, self.rng.choice(["rollback", "keep", "stop"])):
                self.counts.cancels += 1
            world.chance.quiet = quiet

    def run(self) -> Counts:
        """From the first ``up`` to ``down``."""
        world, current = self.world, dict[str, Spec]()
        for _ in range(self.rng.randrange(1, 5)):
            world.chance.odds = self.rng.choice(STORMS)
            if self.rng.random() < 0.2:  # somebody changes what is theirs
                world.host.foreign[f"f{self.rng.randrange(3)}"]["size"] += 1  # type: ignore[operator]
            for thing in world.host.things.values():  # guests write to their disks
                thing["disk"] = (thing["disk"][0], f"{self.rng.random()}") if self.rng.random() < 0.5 else thing["disk"]
            if self._deep and self.rng.random() < 0.2:
                self._by_hand()
            else:
                current = revision(self.rng, current, self.paths)
                self._bring(current)
            row = world.row()
            current = {p: dict(s) for p, s in world.specs[row.revision].items()} if row else {}
            self._deep = row is not None
        if self._deep:
            self._until_done(world.down)
        begun = [a.partition(":")[0] for a in world.started]
        self.counts.copies, self.counts.brought_back = begun.count("copy"), begun.count("restore")
        self.counts.crashes, self.counts.failures, self.counts.actions = world.chance.crashes, world.chance.failures, len(world.started)
        return self.counts

    def _bring(self, specs: dict[str, Spec]) -> None:
        """An ``up`` to its end: complete, rolled back, kept; resumed or overtaken after every crash."""
        world, rng = self.world, self.rng
        options: dict[str, Any] = {"on_failure": rng.choice(["rollback", "rollback", "rollback", "keep", "delete"]), "keep_going": rng.random() < 0.3}
        row = world.row()
        before = (world.serials(), world.disks()) if row is not None and row.state in ("complete", "rolled_back") else None
        forced = tuple(p for p in specs if rng.random() < 0.06)
        codes = refused(lambda: world.preview(specs, replace_=forced))
        if codes:
            self.counts.refused += 1
            assert set(codes) <= {"L104", "L107", "L108"}, codes
            return
        result = self._until_done(lambda: world.up(specs, replace_=forced, **options))
        same = row is not None and before is not None and world.row() is not None and world.row().revision == row.revision
        if result is not None and result.status == "rolled_back" and same and before is not None and not self._early and options["on_failure"] == "rollback":
            assert world.serials() == before[0], f"the rollback rebuilt something: {before[0]} became {world.serials()}"
            assert world.disks() == before[1], f"the rollback did not bring back: {before[1]} became {world.disks()}"
            self.counts.same += 1

    def _by_hand(self) -> None:
        world = self.world
        numbers = [r["number"] for r in world.store.revisions(world.stack_id) if r["number"] in world.specs]
        to = self.rng.choice([0, *numbers])
        if not refused(lambda: world.preview(world.specs[to])):
            self.counts.by_hand += 1
            self._until_done(lambda: world.rollback(to))

    def _until_done(self, work: Callable[[], OperationResult | None]) -> OperationResult | None:
        """Run, and after a crash, a stop or a failed end run on, until it has ended well; what goes wrong ends in time."""
        world, self._early, tries = self.world, False, 0
        again = work
        while True:
            tries += 1
            if tries > PATIENCE:
                world.chance.odds = Odds(switch=0.3)
            assert tries < 3 * PATIENCE, f"it does not converge: {world.row()}"
            try:
                result = again()
            except Crash:
                self._early |= world.early
                again = self._after_crash(work)
                continue
            self._early |= world.early
            self.counts.operations += 1
            if result is None:
                again = work
                if world.row() is None:
                    return None
                continue
            self.counts.rollbacks += result.status in ("rolled_back", "rollback_failed")
            self.counts.early += self._early
            if result.status in ("complete", "rolled_back"):
                world.chance.odds = CALM
                return result
            again = self._after_failure(work, result)

    def _after_crash(self, work: Callable[[], OperationResult | None]) -> Callable[[], OperationResult | None]:
        world = self.world
        row = world.row()
        if row is None or world.store.active(row.id) is None:
            return work
        if self.rng.random() < 0.75:
            self.counts.resumed += 1
            return world.resume
        self.counts.overtaken += 1
        return work

    def _after_failure(self, work: Callable[[], OperationResult | None], result: OperationResult) -> Callable[[], OperationResult | None]:
        """Kept, failed, or stopped: the next command goes on from there."""
        world = self.world
        if world.store.active(world.stack_id) is not None:
            return world.resume
        self.counts.tails += result.status == "failed"
        number = world.row().revision
        if self.rng.random() < 0.4 and number in world.specs:
            return lambda: world.rollback(number)
        return work
