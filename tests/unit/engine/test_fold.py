"""The journal's rules, one by one: what a begin, an end and a failure make of an instance, and that folding the log gives the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stackengine.engine import journal
from stackengine.events import Event
from stackengine.model.codec import instance_to_json, value_to_json
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import SecretRef


def instance(path: str = "web", generation: int = 1, **more: Any) -> Instance:
    plain: dict[str, Any] = {"identity": {"physical_id": f"{path}-{generation}"}, "properties": {"size": 1}, "host": "lab://"}
    return Instance(path, generation, "Lab::Thing", **{**plain, **more})


READY = instance(
    refs=frozenset({"net@1"}), holds=frozenset({"net@1"}), exclusive=frozenset({"d1"}), occupied=frozenset({"d1"}), sure=True, lived=True, status="ready"
)  # fmt: skip
NEXT = replace(READY, refs=frozenset({"net@2"}), holds=frozenset({"net@2"}), exclusive=frozenset({"d2"}), properties={"size": 2})


def test_an_update_that_began_is_unsure_and_may_hold_both() -> None:
    begun = journal.begun(READY, "update", NEXT)
    assert not begun.sure
    assert begun.status == "updating"
    assert begun.holds == {"net@1", "net@2"}
    assert begun.occupied == {"d1", "d2"}
    assert begun.properties == {"size": 2}


def test_a_second_begin_forgets_nothing_of_the_first() -> None:
    third = replace(NEXT, refs=frozenset({"net@3"}), holds=frozenset({"net@3"}), exclusive=frozenset({"d3"}))
    begun = journal.begun(journal.begun(READY, "update", NEXT), "create", third)
    assert begun.holds == {"net@1", "net@2", "net@3"}
    assert begun.occupied == {"d1", "d2", "d3"}
    assert begun.power == "running"


def test_configured_is_sure_and_holds_what_it_refers_to() -> None:
    done = journal.reached(journal.begun(READY, "update", NEXT), "configured", {"serial": 7})
    assert done.sure
    assert done.holds == {"net@2"}
    assert done.occupied == {"d2"}
    assert done.attributes == {"serial": 7}
    assert journal.reached(done, "ready", {"data": 1}).attributes == {"serial": 7, "data": 1}


def test_a_stop_or_release_that_began_leaves_power_unknown() -> None:
    for verb in ("stop", "release"):
        begun = journal.begun(READY, verb, READY)
        assert begun.power == "unknown"
        assert begun.sure
        assert begun.status == "ready"


def test_the_end_of_a_stop_and_of_a_release() -> None:
    stopped = journal.done(READY, "stop", "")
    assert stopped is not None
    assert (stopped.power, stopped.status, stopped.holds) == ("stopped", "stopped", {"net@1"})
    released = journal.done(READY, "release", "net@1")
    assert released is not None
    assert (released.power, released.status, released.holds, released.refs) == ("stopped", "released", frozenset(), frozenset())


def test_a_delete_that_began_is_only_ever_finished() -> None:
    begun = journal.begun(READY, "delete", READY)
    assert (begun.status, begun.sure) == ("deleting", False)
    assert journal.failed(begun, "create", False).status == "deleting"
    assert journal.done(begun, "delete", "") is None


def test_a_failure_is_unsure_unless_only_the_gate_failed() -> None:
    begun = journal.begun(READY, "update", NEXT)
    assert (journal.failed(begun, "create", False).status, journal.failed(begun, "create", False).sure) == ("failed", False)
    configured = journal.reached(begun, "configured", {})
    assert (journal.failed(configured, "create", True).status, journal.failed(configured, "create", True).sure) == ("failed", True)


def log(*events: tuple[Any, Instance, str, dict[str, Any]]) -> list[Event]:
    return [Event(kind, i.path, i.generation, verb, payload, seq=n) for n, (kind, i, verb, payload) in enumerate(events, 1)]


def test_a_fold_loses_nothing_of_an_instance() -> None:
    full = replace(READY, attributes={"password": SecretRef("k", 1)}, contributed={"members": [{"id": "x"}]})
    begin = {"instance": instance_to_json(full)}
    events = log(("action.begin", full, "create", begin), ("action.ready", full, "create", {"attributes": value_to_json({"serial": [1, {"a": None}]})}))
    found = journal.fold(events).instances["web@1"]
    assert found == replace(full, attributes={"password": SecretRef("k", 1), "serial": [1, {"a": None}]})
    assert journal.fold(events).generations == {"web": 1}


def test_the_highest_generation_is_remembered_when_the_instance_is_gone() -> None:
    gone = instance(generation=3)
    begin = {"instance": instance_to_json(gone)}
    events = log(("action.begin", gone, "create", begin), ("action.begin", gone, "delete", begin), ("action.done", gone, "delete", {}))
    assert journal.fold(events) == Recorded({}, {"web": 3}, {}, {}, {})


def test_a_failure_before_the_begin_touches_nothing() -> None:
    start = Recorded({"web@1": READY}, {"web": 1}, {}, {}, {})
    events = log(("action.failed", READY, "update", {"error": {}, "after_configured": False, "begun": False}))
    assert journal.fold(events, start).instances["web@1"] == READY


def signal(handle: str, id_: str, status: str) -> tuple[str, Instance, str, dict[str, Any]]:
    return ("signal.received", instance("h"), "", {"handle": handle, "id": id_, "status": status, "reason": "", "data": None})


def test_a_signal_counts_once_and_a_failure_is_spent_by_the_action_that_it_failed() -> None:
    events = log(signal("h", "1", "SUCCESS"), signal("h", "1", "SUCCESS"), signal("h", "2", "FAILURE"))
    assert [s["status"] for s in journal.fold(events).signals["h"]] == ["SUCCESS", "FAILURE"]
    spent = log(signal("h", "1", "SUCCESS"), signal("h", "2", "FAILURE"), ("action.failed", READY, "create", {"after_configured": True, "spent": "h"}))
    assert [s["id"] for s in journal.fold(spent).signals["h"]] == ["1"]


def test_a_new_generation_forgets_the_signals_of_the_one_before() -> None:
    begin = {"instance": instance_to_json(instance(generation=2)), "forgets": "h"}
    events = log(signal("h", "1", "SUCCESS"), signal("other", "1", "SUCCESS"), ("action.begin", instance(generation=2), "create", begin))
    assert journal.fold(events).signals.keys() == {"other"}


def test_what_was_observed_counts_until_it_is_applied_anew() -> None:
    events = log(("observed", READY, "", {"properties": None}))
    start = Recorded({"web@1": READY}, {"web": 1}, {}, {}, {})
    assert journal.fold(events, start).observed == {"web@1": None}
    begin = ("action.begin", READY, "update", {"instance": instance_to_json(READY)})
    applied = log(("observed", READY, "", {"properties": {"a": 1}}), begin, ("action.ready", READY, "update", {}))
    assert journal.fold(applied, Recorded({"web@1": READY}, {"web": 1}, {}, {}, {})).observed == {}
