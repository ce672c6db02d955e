"""Failing, rolling back, going on after a rollback that failed, stopping and overtaking."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stackengine.service import stacks
from stackengine.service.types import ServiceError
from unit.service.house import House, plan_of, run

pytestmark = pytest.mark.thorough

NONE = "nothing: {type: OS::Heat::None}\n"
NET = "net: {type: SE::Network, properties: {cidr: 10.9.%d.0/24}}\n"
WEB = "web: {type: SE::Server, properties: {image: tiny, memory: %d, networks: [{network: {get_resource: net}}]}}\n"
VOLUME = "db: {type: SE::Volume, properties: {size: %d}}\n"
WAITING = "handle: {type: SE::WaitConditionHandle}\nwait: {type: SE::WaitCondition, properties: {handle: {get_resource: handle}, timeout: %d}}\n"


def test_rollback_to_any_revision_and_its_plan_beforehand(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NET % 1 + WEB % 128)
    first = house.instances()["web"]
    house.up(NET % 1 + WEB % 160)
    house.up(NET % 1 + WEB % 192)
    assert run(house, capsys, "plan", "--rollback-of", "shop", "--to", "1")[0]["to_revision"] == 1
    assert run(house, capsys, "plan", "--rollback-of", "shop")[0]["to_revision"] == 2
    assert run(house, capsys, "rollback", "shop", "--to", "1", "--yes")[-1]["status"] == "complete"
    now = house.instances()["web"]
    assert (now.identity, now.properties, now.generation) == (first.identity, first.properties, 1)
    run(house, capsys, "plan", code=2)
    run(house, capsys, "rollback", "shop", "--to", "17", "--yes", code=2)


def test_a_rollback_that_would_lose_data_needs_a_word(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    house.up(NONE + VOLUME % 1)
    run(house, capsys, "rollback", "shop", "--yes", code=2)
    assert run(house, capsys, "rollback", "shop", "--yes", "--allow", "db")[-1]["status"] == "complete"
    assert "db" not in house.instances()


def test_what_a_rollback_cannot_take_back_is_said_beforehand(house: House) -> None:
    house.up(NONE + VOLUME % 1)
    without = "db: {type: SE::Volume, properties: {size: 3}, metadata: {stackengine: {disk_copy: never}}}\n"
    assert house.plan(NONE + without).plan.actions["update:db@1"].notes == (
        "a rollback cannot bring its disk back: its policy says disk_copy: never",
        "a rollback leaves size as it will be: a volume does not shrink from 3 to 1 GiB",
    )  # fmt: skip


def test_what_a_script_did_in_a_guest_is_not_taken_back(house: House) -> None:
    script = "run: {type: SE::Deployment, properties: {server: {get_resource: web}, script: 'echo %s'}}\n"
    house.up(NET % 1 + WEB % 128 + script % "one")
    notes = house.plan(NET % 1 + WEB % 128 + script % "two").plan.actions["update:run@1"].notes
    assert notes == ("a rollback runs what it ran before again, and leaves what the new run did in the guest",)


@pytest.mark.parametrize(("policy", "status", "left"), [("rollback", "rolled_back", {"nothing"}), ("keep", "failed", {"nothing", "net", "web", "image:tiny"})])
def test_the_policy_of_a_failure_decides_what_is_left(house: House, policy: str, status: str, left: set[str]) -> None:
    house.up(NONE)
    house.faults(fail={"domain_start": 1})
    assert house.up(NONE + NET % 1 + WEB % 128, on_failure=policy).status == status
    assert set(house.instances()) == left
    house.faults()
    assert house.up(NONE + NET % 1 + WEB % 128).status == "complete"


def test_delete_on_failure_leaves_nothing(house: House) -> None:
    house.up(NONE)
    house.faults(fail={"domain_start": 1})
    assert house.up(NONE + NET % 1 + WEB % 128, on_failure="delete").status == "rolled_back"
    assert house.instances() == {}
    assert house.domains() == {}


def test_keep_going_finishes_what_does_not_depend_on_the_failure(house: House) -> None:
    house.faults(fail={"network_define": 1})
    assert house.up(NET % 1 + VOLUME % 1 + "after: {type: OS::Heat::None, depends_on: db}\n", on_failure="keep", keep_going=True).status == "failed"
    found = house.instances()
    assert {p: i.status for p, i in found.items()} == {"net": "failed", "db": "ready", "after": "ready"}


def test_a_rollback_that_failed_goes_on_without_what_cannot_be_mended(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE + VOLUME % 1)
    with pytest.raises(ServiceError, match="no rollback"):
        stacks.preview_rollback(house.session, "shop", go_on=True)
    house.faults(fail={"domain_start": 0, "domain_undefine": 0})
    result = house.up(NONE + NET % 1 + WEB % 128)
    assert (result.status, len(result.rollback_failures)) == ("rollback_failed", 1)
    plan = stacks.preview_rollback(house.session, "shop", go_on=True)
    assert "delete:web@1" in plan_of(plan)
    plan = stacks.preview_rollback(house.session, "shop", go_on=True, skip=["web"])
    assert plan_of(plan) == []
    house.faults()
    assert run(house, capsys, "rollback", "shop", "--continue", "--yes")[-1]["status"] == "complete"
    assert set(house.instances()) == {"nothing", "db"}


def test_what_needs_a_skipped_resource_that_is_not_there_is_skipped_too(house: House) -> None:
    house.up(NET % 1 + WEB % 128)
    house.up(NONE, allow=None)
    plan = stacks.preview_rollback(house.session, "shop", 1, skip=["net"])
    assert [d.code for d in plan.diagnostics] == ["L132"]
    assert "create:web@2" not in plan_of(plan)


@pytest.mark.thorough
def test_an_action_that_takes_longer_than_its_own_limit_fails_and_touches_the_host_no_more(house: House) -> None:
    house.up(NONE)
    slow = threading.Event()
    house.faults(before=lambda call, _: time.sleep(2.0) if call == "volume_create" and not slow.is_set() else None)
    limited = "db: {type: SE::Volume, properties: {size: 1}, metadata: {stackengine: {timeout: 0.8s}}}\n"
    started = time.monotonic()
    result = house.up(NONE + limited)
    assert result.failures[0].message == "it took longer than 0.8 s"
    assert "timeout" in result.failures[0].hint
    assert result.status == "rolled_back"
    assert time.monotonic() - started < 5
    slow.set()
    time.sleep(2.0)
    assert house.up(NONE).status == "complete"


def command(house: House, template: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "stackengine.cli.main", "up", str(template), "--name", "shop", "--state", str(house.folder), "--host", "memory://",
            "--yes", "--plain", *words]  # fmt: skip


def waiting_for(house: House, path: str) -> None:
    for _ in range(1200):
        found = house.instances().get(path)
        if found is not None and found.status == "configured":
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not come")


@pytest.mark.thorough
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, "interrupted"), (signal.SIGHUP, "interrupted"), (signal.SIGINT, "rolled_back")])
def test_signals_stop_at_once_and_an_interrupt_cancels_by_policy(house: House, number: int, status: str) -> None:
    template = house.write(NONE + WAITING % 60)
    with subprocess.Popen(command(house, template), stderr=subprocess.PIPE, text=True) as process:
        waiting_for(house, "wait")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    state = stacks.show(house.session, "shop").summary.state
    assert state == status, said
    if status == "interrupted":
        assert "stack-run resume shop" in said
        assert house.instances()["wait"].status == "configured"
        stacks.cancel(house.session, "shop", "rollback")


@pytest.mark.thorough
def test_an_update_overtakes_one_that_runs(house: House) -> None:
    house.up(NONE)
    template = house.write(NONE + WAITING % 60, "slow.yaml")
    with subprocess.Popen(command(house, template), stderr=subprocess.PIPE, text=True) as process:
        waiting_for(house, "wait")
        preview = house.plan(NONE + VOLUME % 1)
        with pytest.raises(ServiceError, match="an operation runs") as caught:
            stacks.carry_out(house.session, preview)
        assert "--overtake" in caught.value.hint
        assert stacks.carry_out(house.session, preview, overtake=True).status == "complete"
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert set(house.instances()) == {"nothing", "db"}


def test_a_rollback_that_fails_says_its_place_and_what_is_left_is_finished(house: House) -> None:
    house.up(NET % 1 + WEB % 128)
    house.faults(fail={"domain_start": 0})
    result = house.up(NET % 1 + (WEB % 160).replace("memory", "vcpus: 2, memory"))
    assert result.status == "rollback_failed"
    (left,) = result.rollback_failures
    assert (left.type, left.mark.line > 0, bool(left.hint)) == ("SE::Server", True, True)
    house.faults()
    planned = stacks.preview_rollback(house.session, "shop", go_on=True)
    (action,) = (a for a in planned.plan.actions.values() if a.path == "web")
    assert (action.verb, action.finishes, action.replaces, planned.plan.counts()["change"]) == ("create", True, False, 1)
    assert stacks.carry_out(house.session, planned).status == "complete"
