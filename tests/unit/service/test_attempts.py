"""A host call that fails in a way that may pass is tried again, and each time leaves a record."""

from __future__ import annotations

from stackengine.hosts.retrying import ATTEMPTS
from unit.service.house import House

ONE = "db: {type: SE::Volume, properties: {size: 1}}\n"


def attempts(house: House) -> list[dict[str, object]]:
    row = house.session.store.stack("shop")
    assert row is not None
    return [e.payload for e in house.session.store.events(row.id) if e.kind == "action.attempt"]


def test_each_attempt_is_recorded_and_the_call_succeeds_in_the_end(house: House) -> None:
    house.faults(transient={"volume_create": 2})
    assert house.up(ONE).status == "complete"
    found = attempts(house)
    assert [(a["call"], a["code"], a["number"], a["host"]) for a in found] == [("volume_create", 68, 2, "memory://"), ("volume_create", 68, 3, "memory://")]
    assert all(a["message"] == "timed out (fault on purpose)" and isinstance(a["wait"], float) for a in found)


def test_what_does_not_pass_fails_after_the_last_attempt(house: House) -> None:
    house.faults(transient={"volume_create": 99})
    result = house.up(ONE)
    assert (result.status, len(attempts(house))) == ("rolled_back", ATTEMPTS - 1)
    assert "timed out" in result.failures[0].message


def test_what_was_refused_is_not_tried_again(house: House) -> None:
    house.faults(fail={"volume_create": 1})
    assert house.up(ONE).status == "rolled_back"
    assert attempts(house) == []
