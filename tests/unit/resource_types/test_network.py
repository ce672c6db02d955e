"""Networks change while guests run on them: one call for each entry that differs, in an order that libvirt takes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from stackengine import registry

TYPES = registry.load(entry_points=False)
_ = TYPES.types["SE::Network"].handler
live: Any = importlib.import_module("stackengine_types.network.live")


def entry(name: str, number: int, address: int) -> dict[str, str]:
    return {"name": name, "mac": f"52:54:00:00:00:{number:02x}", "address": f"10.0.0.{address}"}


def by_name(*entries: dict[str, str]) -> dict[str, dict[str, str]]:
    return {e["name"]: e for e in entries}


def test_a_successor_of_the_same_name_costs_one_call() -> None:
    old, new = entry("web", 1, 10), entry("web", 2, 11)
    assert live._steps(by_name(old), by_name(new)) == [("modify", new)]


def test_what_is_as_it_should_be_costs_nothing() -> None:
    assert live._steps(by_name(entry("web", 1, 10)), by_name(entry("web", 1, 10))) == []


def test_what_goes_goes_before_what_comes() -> None:
    old, new = entry("old", 1, 10), entry("new", 2, 10)
    assert live._steps(by_name(old), by_name(new)) == [("delete", old), ("add", new)]


def test_two_that_change_places_are_taken_away_first() -> None:
    before = by_name(entry("a", 1, 10), entry("b", 2, 11))
    after = by_name(entry("a", 1, 11), entry("b", 2, 10))
    assert [c for c, _ in live._steps(before, after)] == ["delete", "delete", "add", "add"]


@pytest.mark.parametrize("second", ["db", "web"])
def test_a_name_stands_at_one_address_only(second: str) -> None:
    contributed = [{"address": "10.0.0.5", "name": "web"}, {"address": "10.0.0.6", "name": second}]
    found = live.dns_names({"10.0.0.1": ["gateway"]}, contributed)
    assert sorted(n for names in found.values() for n in names) == sorted({"gateway", "web", second})
