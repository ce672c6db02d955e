"""Environments that stand still, and environments that wait for room: on memory hosts, by the command itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine import service
from stackengine.cli.main import main
from stackengine.model.allowed import Quotas, Room
from stackengine.service.environments import quota, up
from stackengine.service.environments import reap as reaper
from stackengine.service.environments.life import Life
from stackengine.service.environments.origin import Origin
from stackengine.service.types import Settings

pytestmark = pytest.mark.thorough

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string, default: none}
  memory: {type: number, default: 256}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.9.0.0/24}}
  disk: {type: 'SE::Volume', properties: {size: 1}}
  web:
    type: SE::Server
    properties: {memory: {get_param: memory}, networks: [{network: {get_resource: net}}], volumes: [{volume: {get_resource: disk}, boot: true}]}
outputs:
  commit: {value: {get_param: commit}}
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STACKENGINE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("STACKENGINE_HOST", raising=False)

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = main(["env", *arguments])
        found = capsys.readouterr()
        assert ended == code, found.out + found.err
        return found.out + found.err

    return run


def push(run: Callable[..., str], branch: str, *more: str, code: int = 0) -> str:
    host = ["--host", f"memory://{branch}"]
    return run("up", "stack.yaml", "--repo", "git.example/shop", "--branch", branch, "--commit", "1", *host, *more, code=code)


def states(tmp_path: Path, branch: str) -> set[str]:
    found = json.loads((tmp_path / "state" / "memory" / f"{branch}.json").read_text())
    return {d["state"] for d in found["domains"].values()}


def set_traffic(tmp_path: Path, branch: str, moved: int) -> None:
    file = tmp_path / "state" / "memory" / f"{branch}.json"
    found = json.loads(file.read_text())
    for domain in found["domains"].values():
        domain["traffic"] = moved
    file.write_text(json.dumps(found))


def allow(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config" / "stackengine" / "owner.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_is_parked_goes_on_by_wake_or_by_a_push_and_can_be_taken_down(run: Callable[..., str], tmp_path: Path) -> None:
    push(run, "main")
    assert "guests saved: 1" in run("park", "main")
    assert states(tmp_path, "main") == {"saved"}
    assert json.loads(run("show", "main", "--json"))["state"] == "parked"
    assert "guests that go on: 1" in run("wake", "main")
    assert states(tmp_path, "main") == {"running"}
    run("park", "main")
    assert "waking it" in push(run, "main", "--param", "memory=512")
    assert states(tmp_path, "main") == {"running"}
    run("park", "main")
    run("down", "main", "--repo", "git.example/shop")
    assert states(tmp_path, "main") == set()


def test_who_is_idle_is_parked_and_who_is_used_is_not(run: Callable[..., str], tmp_path: Path) -> None:
    push(run, "idle", "--idle-ttl", "10m")
    push(run, "used", "--idle-ttl", "10m")
    now = 0.0
    with service.open(Settings(state=str(tmp_path / "state"))) as session:
        start = max(e.life.active_at or 0.0 for e in up.ls(session))
        for minute in range(0, 14, 2):
            now = start + 60 * minute
            set_traffic(tmp_path, "used", 1_000_000 * minute)
            set_traffic(tmp_path, "idle", 500 * minute)
            actions = {r.branch: r.verdict.action for r in reaper.reap(session, clock=partial(float, now))}
    assert actions["used"] == "keep"
    assert states(tmp_path, "idle") == {"saved"}
    assert states(tmp_path, "used") == {"running"}


def test_without_room_one_waits_in_order_and_goes_away_without_a_trace(run: Callable[..., str], tmp_path: Path) -> None:
    allow(tmp_path, "quotas: {repository: {environments: 1}, host: {memory: 600}}")
    push(run, "first")
    said = push(run, "second", "--room-timeout", "0.1s", code=1)
    assert "second" in said
    assert "place 1" in said
    assert "repository: 1 of 1 environments taken" in said
    assert {e["branch"] for e in json.loads(run("ls", "--json"))} == {"first"}
    assert not (tmp_path / "state" / "memory" / "second.json").exists()
    assert "never be room" in push(run, "huge", "--param", "memory=700", code=1)
    run("down", "first", "--repo", "git.example/shop")
    push(run, "second")


def test_what_is_woken_has_its_room_before_its_guests_are_read_back(run: Callable[..., str], tmp_path: Path) -> None:
    allow(tmp_path, "quotas: {host: {memory: 300}}")
    push(run, "first")
    run("park", "first")
    with service.open(Settings(state=str(tmp_path / "state"))) as session:  # a wake that is killed when it has been let in
        life = up.find(session, "first").life
        wanted = up.Wanted(Origin(life.repository, life.branch))
        quota.enter(session, wanted, (1, 1, 256, 1), Quotas(host=Room(memory=300)), lambda text: None)
        assert up.find(session, "first").life.parked_at is not None
    assert "host: 256 of 300 memory taken" in push(run, "second", "--room-timeout", "0.1s", code=1)
    assert states(tmp_path, "first") == {"saved"}
    run("wake", "first")
    assert states(tmp_path, "first") == {"running"}
    assert "host: 256 of 300 memory taken" in push(run, "second", "--room-timeout", "0.1s", code=1)
    run("park", "first")
    push(run, "second")


def test_what_is_parked_has_given_its_room_back_and_waits_for_it(run: Callable[..., str], tmp_path: Path) -> None:
    allow(tmp_path, "quotas: {host: {memory: 300}}")
    push(run, "first")
    run("park", "first")
    push(run, "second")
    assert "host: 256 of 300 memory taken, 256 wanted" in run("wake", "first", "--room-timeout", "0.1s", code=1)
    assert "place 1" in push(run, "first", "--room-timeout", "0.1s", code=1)
    assert states(tmp_path, "first") == {"saved"}
    run("reap")
    assert {e["branch"]: e["state"] for e in json.loads(run("ls", "--json"))} == {"first": "parked", "second": "complete"}
    run("park", "second")
    run("wake", "first")
    assert states(tmp_path, "first") == {"running"}


def test_a_quota_of_zero_is_said_at_once(run: Callable[..., str], tmp_path: Path) -> None:
    allow(tmp_path, "quotas: {owner: {environments: 0}}")
    assert "there will never be room" in push(run, "main", code=1)
    assert json.loads(run("ls", "--json")) == []


def test_over_a_quota_the_oldest_goes_that_is_not_pinned(run: Callable[..., str], tmp_path: Path) -> None:
    for branch in ("a", "b", "c"):
        push(run, branch)
    run("pin", "a")
    allow(tmp_path, "quotas: {host: {environments: 2}}")
    assert "would go: over quota" in run("reap", "--dry-run")
    run("reap")
    assert {e["branch"] for e in json.loads(run("ls", "--json"))} == {"a", "c"}


@pytest.mark.parametrize("text", ["quotas: {hosts: {}}", "quotas: {host: {memory: -1}}", "quotas: {host: {cpus: 1}}", "quotas: 3"])
def test_quotas_that_are_not_in_order_are_said(run: Callable[..., str], tmp_path: Path, text: str) -> None:
    allow(tmp_path, text)
    assert "owner.yaml" in push(run, "main", code=1)


WANTS = st.tuples(st.just(1), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))


@settings(max_examples=60)
@given(st.lists(WANTS, min_size=1, max_size=6), st.integers(1, 4), st.integers(4, 8))
def test_no_quota_is_exceeded_and_everybody_gets_in_at_last(wants: list[tuple[int, ...]], environments: int, vcpus: int) -> None:
    quotas = Quotas(host=Room(environments=environments, vcpus=vcpus, memory=vcpus))
    waiting = [Life("r", str(n), wants=w) for n, w in enumerate(wants)]
    inside: list[Life] = []
    rounds = 0
    while waiting:
        rounds += 1
        assert rounds < 50
        let_in = [n for n in range(len(waiting)) if not quota.held_up(waiting[: n + 1], inside, quotas)]
        if not let_in:
            inside.pop(0)  # somebody goes
            continue
        inside.append(replace(waiting[let_in[0]], room=waiting[let_in[0]].wants, wants=()))
        del waiting[let_in[0]]
        assert sum(x.room[1] for x in inside) <= vcpus
        assert len(inside) <= environments
