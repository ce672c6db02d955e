"""Three tiers of simulated guests: the process dies at every commit and at every host call of create, update, rollback and delete, and is run again."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from histories.chance import CALM, Odds
from histories.guests import GuestWorld
from stackengine.hosts.memory.faults import Crash
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service.templates import gallery
from stackengine.testing.inventory import differences

STEPS: dict[str, Callable[[GuestWorld], Any]] = {
    "create": lambda w: w.bring(gallery()["three-tier"] / "hot" / "stack.yaml", {}),
    "update": lambda w: w.bring(gallery()["three-tier"] / "hot" / "stack.yaml", {"data_size": 2}),
    "rollback": lambda w: w.bring(gallery()["autofail"] / "hot" / "stack.yaml", {"data_size": 2}),
    "grown": lambda w: w.bring(gallery()["autofail"] / "hot" / "stack.yaml", {"data_size": 3}),
    "replace": lambda w: w.bring(gallery()["autofail"] / "hot" / "stack.yaml", {"data_size": 2, "web_status": "SUCCESS"}),
    "delete": lambda w: w.down(),
}
BOTH = ("create", "update")
BEFORE = {"create": (), "update": ("create",), "rollback": BOTH, "grown": BOTH, "replace": BOTH, "delete": BOTH}
ENDS = {"create": "complete", "update": "complete", "rollback": "rolled_back", "grown": "rolled_back", "replace": "complete", "delete": "complete"}
ROWS = b"rows of a database"


@cache
def base(step: str) -> GuestWorld:
    """A world as it is before a step."""
    world = GuestWorld(7)
    for earlier in BEFORE[step]:
        assert STEPS[earlier](world).status == "complete"
    for volume in data_of(world):
        volume["data"] = base64.b64encode(ROWS).decode()
    return world


def data_of(world: GuestWorld) -> list[dict[str, Any]]:
    """The database's volume, where it is there."""
    volumes = world.guests._file._state["pools"]["default"]["volumes"]
    return [v for n, v in volumes.items() if "volume" in n and n.endswith(".qcow2")]


@cache
def goal(step: str) -> tuple[dict[str, Any], list[str]]:
    """What the host holds when nothing goes wrong, and the words of every place of the step."""
    world, places = base(step).fork(), list[str]()
    world.chance.when = places.append
    assert STEPS[step](world).status == ENDS[step]
    if step in ("rollback", "grown"):
        assert [(v["capacity"] >> 30, base64.b64decode(v["data"])) for v in data_of(world)] == [(2, ROWS)]
    return world.inventory(), places


def over(step: str, row: Any) -> bool:
    """Whether a step has come to its end."""
    if step == "delete" or row is None:
        return step == "delete" and row is None
    return row.state == ENDS[step] and (ENDS[step] == "rolled_back" or row.revision == len(BEFORE[step]) + 1)


def once(step: str, number: int, verdict: str) -> None:
    """Something happens at one place; what was begun is finished, and everything is as if it had not happened."""
    wanted, places = goal(step)
    world = base(step).fork()
    world.chance.at[number] = verdict
    with suppress(Crash):
        STEPS[step](world)
    for _ in range(6):
        row = world.row()
        if row is not None and world.store.active(row.id) is not None:
            world.resume()
        elif over(step, row):
            break
        else:
            STEPS[step](world)
    different = differences(_in_order(wanted), _in_order(world.inventory())) if step in ("create", "update", "rollback", "grown") else ""
    assert not different, f"{step}: {verdict} at {number} ({places[number - 1]}): {different}"
    if step == "replace":
        assert {k: len(v) for k, v in world.objects().items()} == {"domains": 4, "networks": 2, "volumes": len(world.objects()["volumes"])}
    if step != "delete":
        world.down()
    assert world.objects() == {"domains": set(), "networks": set(), "volumes": set()}


def _in_order(inventory: dict[str, Any]) -> dict[str, Any]:
    """An inventory whose networks list their reservations and names in one order: live changes append, a definition sorts."""
    networks = {}
    for uuid, network in inventory["networks"].items():
        root = ET.fromstring(network["xml"])
        for parent in [*root.findall("ip/dhcp"), *root.findall("dns")]:
            parent[:] = sorted(parent, key=ET.tostring)
        networks[uuid] = {**network, "xml": ET.tostring(root, encoding="unicode")}
    return {**inventory, "networks": networks}


@pytest.mark.thorough
@pytest.mark.parametrize("step", STEPS)
def test_it_dies_after_a_commit(step: str) -> None:
    places = [n for n, words in enumerate(goal(step)[1], 1) if words == "after commit"]
    assert len(places) >= 4
    for number in places[::3]:  # all of them, and the host calls, are in the slow test
        once(step, number, "crash")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_it_dies_at_every_place(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(goal(step)[1])
    for number in range(1, count + 1):
        once(step, number, "crash")
    with capsys.disabled():
        print(f"\n{step}: died at {count} places")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_every_host_call_fails_once(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    places = [n for n, words in enumerate(goal(step)[1], 1) if "commit" not in words and not words.startswith("gate") and not words.endswith("plan")]
    for number in places:
        once(step, number, "fail")
    with capsys.disabled():
        print(f"\n{step}: failed at {len(places)} sides of host calls")


def life(seed: int) -> dict[str, int]:
    """A stack's life with random updates, crashes and failures."""
    rng, world = random.Random(f"guests {seed}"), GuestWorld(seed)
    counts = {"operations": 0, "refused": 0, "crashes": 0, "failures": 0}
    wanted = [STEPS[rng.choice(["create", "update", "rollback", "grown", "replace"])] for _ in range(rng.randrange(1, 4))]
    for work in [*wanted, STEPS["delete"]]:
        world.chance.odds = rng.choice([Odds(), Odds(crash=0.01), Odds(fail=0.01), Odds(fail=0.005, crash=0.005)])
        for turn in range(30):
            if turn > 10:
                world.chance.odds = CALM
            try:
                row = world.row()
                left = row is not None and world.store.active(row.id) is not None
                result = world.resume() if left and rng.random() < 0.7 else work(world)
            except Crash:
                continue
            except InvalidTemplateError as refused:
                if {d.code for d in refused.diagnostics.errors} != {"L108"}:  # a disk that has grown does not shrink
                    raise
                counts["refused"] += 1
                break
            counts["operations"] += 1
            if result is None or result.status in ("complete", "rolled_back"):
                break
        else:
            raise AssertionError(f"it does not converge: {world.row()}")
        world.chance.odds = CALM
    counts["crashes"], counts["failures"] = world.chance.crashes, world.chance.failures
    assert world.row() is None
    return counts


@pytest.mark.thorough
def test_a_few_lives_of_guests() -> None:
    found = [life(seed) for seed in range(8)]
    assert sum(f["crashes"] for f in found) > 2


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_lives_of_guests(block: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = [life(seed) for seed in range(1000 + 40 * block, 1040 + 40 * block)]
    with capsys.disabled():
        print(f"\nblock {block}: 40 lives, " + ", ".join(f"{sum(f[k] for f in found)} {k}" for k in found[0]))
