"""Scenario files: what happens to a small stack, step by step, in words. Every invariant of ``histories.world`` is checked on the way.

A step is what somebody does (``up``, ``change``, ``again``, ``rollback``, ``resume``, ``down``; guests ``write`` to their disks),
what goes wrong meanwhile (``fails``, ``crashes``,
``cancel``, each at a place such as ``before put web`` or ``after start web@2``, or ``gate web``), and what is seen then:

``ends``     complete, failed, rolled_back, rollback_failed, cancelled, crash, nothing, or ``refused CODE``
``does``     actions that begin, in this order (others may begin between them)
``never``    actions that do not begin
``same``     paths whose things are the very same as before the step (``all``)
``other``    paths whose things are other ones than before the step
``there``    the paths of all things on the host, running or not
``runs``     the paths of all things that run
``room``     by path, how much room a disk has
``kept``     paths whose disks hold the very same as before the step
``copies``   how many copies of disks are on the host
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from histories.chance import Odds
from histories.oracle import compare
from histories.world import World, refused
from stackengine.hosts.memory.faults import Crash
from stackengine.service.types import ServiceError

FILES = sorted(Path(__file__).parent.glob("*.yaml"))
DOING = {"up", "change", "again", "rollback", "resume", "down", "write"}
SEEING = {"ends", "does", "never", "same", "other", "there", "runs", "room", "kept", "copies"}
WRONG = {"fails", "crashes", "cancel", "with"}


class Story:
    """Plays one file."""

    def __init__(self, title: str) -> None:
        self.world = World(sum(map(ord, title)), store="sqlite")
        self.world.chance.odds = Odds(switch=0.3)
        self.world.chance.when = self._when
        self.world.checks.append(compare)
        self.specs: dict[str, dict[str, Any]] = {}
        self.step: dict[str, Any] = {}
        self.spent: list[str] = []

    def _when(self, words: str) -> str | None:
        """What the step says about this place; each of its mishaps happens once, but for those that are for good (``always``)."""
        for key, verdict in (("fails", "fail"), ("crashes", "crash"), ("cancel", "")):
            for told in _listed(self.step.get(key)):
                always = told.endswith(" always")
                policy, _, place = told.removesuffix(" always").rpartition(" at ")
                if place in self.spent or not self._is(words, place):
                    continue
                if not always:
                    self.spent.append(place)
                if key == "cancel":
                    self._ask(policy)
                return verdict or None
        return None

    def _ask(self, policy: str) -> None:
        chance = self.world.chance
        chance.quiet = True
        self.world.store.ask_cancel(self.world.stack_id, policy)
        chance.quiet = False

    def _is(self, words: str, place: str) -> bool:
        said, _, what = words.rpartition(" ")
        wanted, _, who = place.rpartition(" ")
        if said != wanted:
            return False
        if said == "gate":
            return what in (f"create:{who}", f"update:{who}") or what.partition(":")[2].partition("@")[0] == who
        found = next((i for i in self.world.log.instances.values() if i.physical_id == what), None)
        return what == who or (found is not None and who in (found.path, found.id))

    def play(self, step: dict[str, Any]) -> None:
        unknown = step.keys() - DOING - SEEING - WRONG
        assert not unknown, f"a step has no {unknown}"
        self.step, self.spent = step, []
        before, begun, disks = self._serials(), len(self.world.started), self.world.disks()
        ends = self._do(step)
        assert ends == step.get("ends", "complete"), f"it ended as {ends}"
        started = self.world.started[begun:]
        _in_order([_action(a) for a in _listed(step.get("does"))], started)
        for action in _listed(step.get("never")):
            assert _action(action) not in started, f"{action} began"
        self._see(step, before)
        for path in _listed(step.get("kept")):
            assert self.world.disks().get(path) == disks[path], f"the disk of {path} holds {self.world.disks().get(path)}"

    def _serials(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for thing in self.world.host.things.values():
            found.setdefault(thing["path"], set()).add(thing["serial"])
        return found

    def _see(self, step: dict[str, Any], before: dict[str, set[str]]) -> None:
        things, now = self.world.host.things.values(), self._serials()
        for path in before if step.get("same") == "all" else _listed(step.get("same")):
            assert now.get(path) == before[path], f"{path} is not the very same"
        if step.get("same") == "all":
            assert now.keys() == before.keys()
        for path in _listed(step.get("other")):
            assert path in now, f"{path} is gone"
            assert now[path] != before.get(path), f"{path} is the same"
        if "there" in step:
            assert sorted(t["path"] for t in things) == sorted(step["there"])
        for path, room in (step.get("room") or {}).items():
            assert self.world.disks()[path][0] == room, f"{path} has {self.world.disks()[path][0]} room"
        if "copies" in step:
            assert len(self.world.host.copies) == step["copies"]
        if "runs" in step:
            assert sorted(t["path"] for t in things if t["on"]) == sorted(step["runs"])

    def _do(self, step: dict[str, Any]) -> str:
        world, options = self.world, dict(step.get("with") or {})
        try:
            match next(k for k in step if k in DOING):
                case "up":
                    self.specs = {p: dict(s or {}) for p, s in step["up"].items()}
                    return self._up(options)
                case "change":
                    for path, changes in step["change"].items():
                        if changes == "gone":
                            del self.specs[path]
                        else:
                            self.specs[path] = {**self.specs.get(path, {}), **changes}
                    return self._up(options)
                case "again":
                    return self._up(options)
                case "rollback":
                    result: Any = world.rollback(int(step["rollback"]))
                    self.specs = {p: dict(s) for p, s in world.specs[int(step["rollback"])].items()}
                case "resume":
                    result = world.resume()
                case "write":
                    self._write(_listed(step["write"]))
                    return "complete"
                case _:
                    result = world.down()
        except Crash:
            return "crash"
        except ServiceError as error:
            return f"error: {error}".replace(world.name, "lab")
        if result is None:
            return "nothing"
        if result.status == "rolled_back" and world.row() is not None:
            self.specs = {p: dict(s) for p, s in world.specs[world.row().revision].items()}
        return str(result.status)

    def _write(self, paths: list[str]) -> None:
        for thing in self.world.host.things.values():
            if thing["path"] in paths:
                thing["disk"] = (thing["disk"][0], f"{thing['disk'][1]}, and files")

    def _up(self, options: dict[str, Any]) -> str:
        ask = {k: tuple(options.pop(k, ())) for k in ("replace", "targets")}
        codes = refused(lambda: self.world.preview(self.specs, replace_=ask["replace"], targets=ask["targets"]))
        if codes:
            return f"refused {' '.join(codes)}"
        result = self.world.up(self.specs, replace_=ask["replace"], targets=ask["targets"], **options)
        if result.status == "rolled_back":
            self.specs = {p: dict(s) for p, s in self.world.specs[self.world.row().revision].items()}
        return str(result.status)


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _action(words: str) -> str:
    """``create web@2`` is ``create:web@2``; ``release web@1 of net@1`` is ``release:web@1:net@1``."""
    verb, rest = words.split(" ", 1)
    return f"{verb}:{rest.replace(' of ', ':')}"


def _in_order(wanted: list[str], started: list[str]) -> None:
    at = 0
    for action in wanted:
        assert action in started[at:], f"{action} did not begin (after {wanted[: wanted.index(action)]}): {started}"
        at = started.index(action, at) + 1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_it_happens_as_told(file: Path) -> None:
    text = file.read_text()
    story = yaml.safe_load(text)
    assert text.count("\n") <= 60, "a scenario is short"
    assert story.keys() == {"title", "steps"}, "a title and steps"
    told = Story(story["title"])
    try:
        for number, step in enumerate(story["steps"], 1):
            try:
                told.play(step)
            except AssertionError as error:
                raise AssertionError(f"{story['title']}: step {number}: {error}") from error
    finally:
        told.world.crew.close()


def test_there_are_enough() -> None:
    assert len(FILES) >= 40
