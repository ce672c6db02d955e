from __future__ import annotations

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import NOWHERE, Mark

HERE, THERE = Mark("a.yaml", 1, 1, 1, 2), Mark("a.yaml", 2, 1, 2, 2)


def test_a_fault_is_told_once_for_each_place() -> None:
    found = Diagnostics()
    for mark in (HERE, HERE, THERE):
        found.error("R101", "unknown resource type", mark)
    more = Diagnostics()
    more.extend(found)
    more.extend(found)
    assert [d.mark for d in found] == [HERE, THERE]
    assert [d.mark for d in more] == [HERE, THERE]


def test_what_has_no_place_may_be_said_again() -> None:
    found = Diagnostics()
    found.warning("L124", "something", NOWHERE)
    found.warning("L124", "something", NOWHERE)
    assert len(found) == 2
