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


def guard(*said: dict[str, Any], nic: dict[str, Any] | None = None, features: frozenset[str] = frozenset({"nwfilter"}), **want: Any) -> Any:
    host = SimpleNamespace(profile=SimpleNamespace(features=features))
    ctx = SimpleNamespace(identity={"nics": [nic or NIC]}, contributed={"groups": [{"mac": MAC, "groups": list(said)}]}, host=host)
    return filters.groups_of(ctx, want).get(MAC)


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


def test_every_interface_is_guarded_where_the_host_can_unless_its_server_or_its_port_says_no() -> None:
    assert guard().guarded
    assert guard({"allowed": {"address": "10.0.0.9"}}).addresses[1] == ("10.0.0.9", 32)
    assert guard(features=frozenset()) is None
    assert guard(anti_spoofing=False) is None
    assert guard({"guarded": True}, anti_spoofing=False).guarded
    assert guard({"guarded": False}) is None
    assert guard({"group": "sg:web"}, anti_spoofing=False).guarded is False


def test_two_servers_of_one_port_have_filters_of_their_own() -> None:
    assert filters.filter_name({"uuid": "11111111-a"}, MAC) != filters.filter_name({"uuid": "22222222-b"}, MAC)


def test_an_interface_without_addresses_is_not_guarded() -> None:
    assert guard({"group": "sg:web"}, nic={"mac": MAC, "address": "", "prefix": 0}).guarded is False
    assert guard(nic={"mac": MAC, "address": "", "prefix": 0}) is None


def test_allowed_ranges_and_macs() -> None:
    found = guard({"guarded": True}, {"allowed": {"address": "10.9.0.0/16", "mac": "52:54:00:00:00:01"}})
    assert ("10.9.0.0", 16) in found.addresses
    assert (found.ranges, found.macs) == (True, True)
