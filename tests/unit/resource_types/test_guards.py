"""What an interface may send from."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from stackengine import registry

TYPES = registry.load(entry_points=False)
_ = TYPES.types["SE::Server"].handler
filters: Any = importlib.import_module("stackengine_types.server.filters")
MAC = "52:54:00:da:3e:6e"
NIC = {"mac": MAC, "address": "10.0.0.5", "prefix": 24, "more": [{"address": "fd00:77::9", "prefix": 64}]}


def guard(*said: dict[str, Any], nic: dict[str, Any] | None = None) -> Any:
    ctx = SimpleNamespace(identity={"nics": [nic or NIC]}, contributed={"groups": [{"mac": MAC, "groups": list(said)}]})
    return filters.groups_of(ctx).get(MAC)


def test_a_guarded_interface_sends_from_its_own_addresses_and_those_that_it_makes_itself() -> None:
    found = guard({"group": "sg:web"})
    assert found.groups == ("web",)
    assert found.addresses == (("10.0.0.5", 32), ("fd00:77::5054:ff:feda:3e6e", 128), ("fd00:77::9", 128))
    assert not found.ranges


@pytest.mark.parametrize(("said", "guarded"), [
    ([{"group": "sg:web"}, {"guarded": False}], False), ([{"guarded": True}], True), ([{"group": "sg:web"}], True),
])  # fmt: skip
def test_what_a_port_says_of_it_counts(said: list[dict[str, Any]], guarded: bool) -> None:
    assert guard(*said).guarded is guarded


def test_without_group_and_wish_there_is_no_filter() -> None:
    assert guard({"allowed": {"address": "10.0.0.9"}}) is None


def test_an_interface_without_addresses_is_not_guarded() -> None:
    assert guard({"group": "sg:web"}, nic={"mac": MAC, "address": "", "prefix": 0}).guarded is False


def test_allowed_ranges_and_macs() -> None:
    found = guard({"guarded": True}, {"allowed": {"address": "10.9.0.0/16", "mac": "52:54:00:00:00:01"}})
    assert ("10.9.0.0", 16) in found.addresses
    assert (found.ranges, found.macs) == (True, True)
