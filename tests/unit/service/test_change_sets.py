"""Saved plans: shown, carried out once and only on the same ground, discarded; operations that go on by themselves."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from stackengine.cli import detaching
from stackengine.service import guard, prepare, stacks
from unit.service.house import House, run

NONE = "nothing: {type: OS::Heat::None}\n"
NET = "net: {type: SE::Network, properties: {cidr: 10.8.%d.0/24}}\n"
SECRET = "heat_template_version: 2018-08-31\nparameters: {word: {type: string, hidden: true}}\nresources:\n"
SECRET += "  web: {type: SE::Server, properties: {image: tiny, user_data: {get_param: word}}}\n"


def saved(house: House, capsys: pytest.CaptureFixture[str], resources: str, *words: str) -> str:
    template = house.write(resources)
    return str(run(house, capsys, "changeset", "create", str(template), "--name", "shop", "--host", "memory://", *words)[0]["id"])


def test_a_change_set_of_a_new_stack_is_carried_out_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = saved(house, capsys, NET % 1, "--as", "first")
    assert house.session.store.stack("shop") is None
    assert run(house, capsys, "changeset", "show", "first")[0]["plan"]["summary"]["add"] == 1
    assert run(house, capsys, "changeset", "execute", id_[:6], "--yes")[-1]["status"] == "complete"
    assert house.instances()["net"].status == "ready"
    run(house, capsys, "changeset", "execute", id_, "--yes", code=1)
    assert [c["status"] for c in run(house, capsys, "changeset", "ls")[0]["change_sets"]] == ["executed"]


def test_a_change_set_is_refused_when_the_ground_has_moved(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    id_ = saved(house, capsys, NONE + NET % 1)
    house.up(NONE + NET % 1)
    run(house, capsys, "changeset", "execute", id_, "--yes", code=1)
    shown = run(house, capsys, "changeset", "show", id_)[0]
    assert shown["status"] == "stale"
    assert "no longer create:net@1" in shown["reason"]


def test_what_does_not_touch_the_plan_moves_no_ground(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    id_ = saved(house, capsys, NONE + NET % 1)
    guard.protect(house.session, prepare.find_stack(house.session, "shop"), [], on=True)
    assert run(house, capsys, "changeset", "execute", id_, "--yes")[-1]["status"] == "complete"


def test_another_stack_of_the_same_name_is_other_ground(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = saved(house, capsys, NET % 1)
    house.up(NET % 1)
    run(house, capsys, "changeset", "execute", id_, "--yes", code=1)


def test_a_discarded_one_is_not_carried_out(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = saved(house, capsys, NET % 1)
    assert run(house, capsys, "changeset", "discard", id_)[0]["status"] == "discarded"
    run(house, capsys, "changeset", "execute", id_, "--yes", code=1)
    run(house, capsys, "changeset", "discard", id_, code=1)
    run(house, capsys, "changeset", "show", "nobody", code=2)


def test_a_plan_in_a_file_holds_no_secret_and_can_be_carried_out(house: House, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    template, file = house.write(SECRET), tmp_path / "plan.json"
    run(house, capsys, "plan", str(template), "--name", "shop", "--host", "memory://", "--param", "word=hush-hush", "--out", str(file))
    assert "hush" not in file.read_text()
    assert "hush" not in (tmp_path / "stackengine.db").read_bytes().decode("latin1")
    assert json.loads(file.read_text())["kind"] == "change_set"
    assert run(house, capsys, "changeset", "execute", str(file), "--yes")[-1]["status"] == "complete"
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    run(house, capsys, "changeset", "execute", str(wrong), "--yes", code=2)


@pytest.mark.thorough
def test_an_operation_goes_on_by_itself_and_can_be_waited_for(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    template = house.write(NET % 1)
    begun = run(house, capsys, "up", str(template), "--name", "shop", "--host", "memory://", "--yes", "--detach")[-1]
    ended = run(house, capsys, "wait", "shop", "--timeout", "120s")[0]
    assert (ended["state"], ended["operation"]) == ("complete", begun["operation"]), Path(begun["log"]).read_text()
    assert "create started" in Path(begun["log"]).read_text()
    run(house, capsys, "down", "shop", "--yes", "--detach")
    assert run(house, capsys, "wait", "shop", "--timeout", "120s", code=0)[0]["state"] == "deleted"


def test_an_operation_that_ends_between_two_reads_is_complete(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running = []

    def watch(_: object) -> None:
        row = house.session.store.stack("shop")
        assert row is not None
        running.append((row, house.session.store.active(row.id)))

    house.up(NET % 1, watch=watch)
    row, active = next(seen for seen in running if seen[1] is not None and seen[0].state == "running")
    assert stacks.state_of(house.session, row) == ("complete", "")  # it ended after the row was read
    monkeypatch.setattr(house.session.store, "active", lambda _: active)
    assert stacks.state_of(house.session, row) == ("complete", "")  # it ended, and its owner with it, after the operation was read, too


def test_one_that_loses_data_needs_leave_and_stays_until_it_was_begun(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    volume = "data: {type: SE::Volume, properties: {size: 1}}\n"
    house.up(NONE + volume)
    id_ = saved(house, capsys, NONE)
    run(house, capsys, "changeset", "execute", id_, "--yes", code=2)
    assert run(house, capsys, "changeset", "show", id_)[0]["status"] == "saved"
    assert "data" in house.instances()
    assert run(house, capsys, "changeset", "execute", id_, "--yes", "--allow", "delete")[-1]["status"] == "complete"
    assert "data" not in house.instances()


@pytest.mark.thorough
def test_what_has_not_begun_is_not_said_to_go_on(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detaching, "BEGIN_SECONDS", 0.0)
    house.up(NET % 1)
    said = run(house, capsys, "down", "shop", "--yes", "--detach", code=1)[-1]
    assert "has not begun within 0 s" in said["message"]
    assert "stack-run show shop" in said["hint"]
    end = time.monotonic() + 60
    while house.session.store.stack("shop") is not None:  # it may begin yet, and this time it does
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.thorough
def test_what_did_not_begin_is_told_with_the_reason_at_hand(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NET % 1)
    row = house.session.store.stack("shop")
    assert row is not None
    with house.session.store.ownership(row.id) as lock:
        assert lock.take()
        said = run(house, capsys, "down", "shop", "--yes", "--detach", code=1)[-1]
    assert "did not begin" in said["message"]
    assert "an operation runs on the stack shop" in Path(said["hint"].removeprefix("see ")).read_text()
