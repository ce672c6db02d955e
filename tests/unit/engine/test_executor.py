"""The executor: what is durable before what, how commits are grouped, and what a mishap at each point makes of an operation."""

from __future__ import annotations

from typing import Any

import pytest

from histories.chance import Odds
from histories.world import World
from stackengine.hosts.memory.faults import Crash


@pytest.fixture
def world() -> Any:
    found = World(3, store="memory")
    yield found
    found.crew.close()


def kinds(world: World, since: int = 0) -> list[str]:
    return [f"{e.kind.removeprefix('action.')} {e.verb} {e.path}".strip() for e in world.events[since:] if e.kind != "action.progress"]


def test_what_begins_together_is_one_commit(world: World) -> None:
    commits: list[str] = []
    world.chance.when = lambda words: commits.append(words) if words == "after commit" else None
    world.up({f"t{n}": {"size": n} for n in range(40)})
    begun = [e.seq for e in world.events if e.kind == "action.begin"]
    assert begun == list(range(begun[0], begun[0] + 40)), "all begin before anything ends"
    assert len(commits) <= 2 * 40 + 5, "record, submit, one for all that began, words and ends as they come, finish"


def test_nothing_touches_the_host_before_its_begin_is_durable(world: World) -> None:
    touched: list[str] = []

    def look(words: str) -> str | None:
        if words.startswith("before put"):
            touched.append(words)
            assert any(e.kind == "action.begin" for e in world.store.log), "the host is touched first"
        return "crash" if words == "before commit" and world.store.active("") is not None else None

    world.chance.when = look
    with pytest.raises(Crash):
        world.up({"a": {"size": 1}})
    assert touched == []
    assert world.host.things == {}


def test_an_end_is_durable_before_dependents_touch_the_host(world: World) -> None:
    def look(words: str) -> str | None:
        if words.startswith("before put b"):
            assert world.store.bodies["a@1"]["status"] == "ready"
            assert world.store.bodies["a@1"]["sure"]
        return None

    world.chance.when = look
    world.up({"a": {"size": 1}, "b": {"needs": ["a"]}})
    assert kinds(world) == [
        "operation.started", "begin create a", "ready create a", "begin create b", "ready create b", "operation.finished",
    ]  # fmt: skip


def test_a_gate_is_waited_for_after_configured(world: World) -> None:
    world.up({"a": {"gate": True}, "soon": {"needs": ["a"]}, "late": {"after": ["a"]}})
    order = kinds(world)
    assert order.index("configured create a") < order.index("ready create a")
    assert order.index("configured create a") < order.index("begin create soon")
    assert order.index("ready create a") < order.index("begin create late")


def test_a_gate_that_fails_leaves_a_sure_object(world: World) -> None:
    world.chance.when = lambda words: "fail" if words.startswith("gate") else None
    assert world.up({"a": {"gate": True}}, on_failure="keep").status == "failed"
    found = world.store.recorded("").instances["a@1"]
    assert (found.sure, found.status) == (True, "failed")


def test_who_lost_the_operation_writes_and_starts_nothing(world: World) -> None:
    world.up({"a": {"size": 1}})
    journal_of_another: list[Any] = []

    def look(words: str) -> str | None:
        if words.startswith("before put b") and not journal_of_another:
            world.chance.quiet = True
            row = world.store.active("")
            journal_of_another.append(world.store.take_over(row, world.store.vault(""), world._take))
            world.chance.quiet = False
        return None

    world.chance.when = look
    result = world.up({"a": {"size": 1}, "b": {"size": 1}, "c": {"needs": ["b"]}})
    assert result.status == "fenced"
    assert not any(e.path == "c" for e in world.events)


def test_resources_beyond_the_limit_wait_for_room(world: World) -> None:
    most: list[int] = []
    world.crew.limit = 3
    world.chance.odds = Odds(switch=1.0)
    world.chance.when = lambda _words: most.append(len(world.crew.strands))
    world.up({f"t{n}": {"size": n} for n in range(10)})
    assert max(most) == 3
