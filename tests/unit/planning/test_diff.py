"""What differs, and how each change is applied: the schema's word, strengthened by the type, by the user's choice, by what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from histories.world import types
from stackengine.hosts.memory.host import PROFILE
from stackengine.model.desired import DesiredResource
from stackengine.model.expr import Attr, Literal
from stackengine.model.instance import Instance
from stackengine.model.template import Policies
from stackengine.model.values import SecretRef, Unknown
from stackengine.planning.diff import compare, compare_contributed, only_maybe, strongest, with_ignored

THING = types().types["Lab::Thing"]
SERVER = types().types["SE::Server"]
LATER = Unknown(Attr("a", (Literal("serial"),)))


def resource(*ignored: str) -> DesiredResource:
    return DesiredResource("x", "Lab::Thing", {}, policies=Policies(ignore_changes=ignored))


def instance(**properties: Any) -> Instance:
    return Instance("x", 1, "Lab::Thing", {"physical_id": "x-1"}, properties)


def changes(old: dict[str, Any], new: dict[str, Any], observed: Mapping[str, Any] | None = None, *ignored: str) -> dict[str, str]:
    return {c.prop: c.effect for c in compare(instance(**old), new, THING, PROFILE, resource(*ignored), observed)}


def test_each_property_has_its_effect() -> None:
    assert changes({"kind": 1, "size": 1, "mode": 1}, {"kind": 2, "size": 2, "mode": 2}) == {"kind": "replace", "mode": "reboot", "size": "live"}
    assert changes({"kind": 1}, {"kind": 1}) == {}


def test_what_comes_and_goes_is_a_change() -> None:
    assert changes({}, {"size": 1}) == {"size": "live"}
    assert changes({"size": 1}, {}) == {"size": "live"}


def test_only_keys_that_were_set_count_of_what_was_observed() -> None:
    assert changes({"size": 1}, {"size": 1}, {"size": 2, "colour": "green"}) == {"size": "live"}
    assert changes({"size": 1}, {"size": 2}, {"size": 2}) == {}, "it is so already"
    assert changes({"size": 1}, {"size": 1}, {}) == {}


def test_ignored_changes_are_none() -> None:
    assert changes({"size": 1, "kind": 1}, {"size": 2, "kind": 2}, None, "size") == {"kind": "replace"}
    assert with_ignored({"size": 2, "kind": 2}, instance(size=1), resource("size"), THING) == {"size": 1, "kind": 2}


def test_equal_secrets_are_equal_and_others_are_not() -> None:
    assert changes({"secret": SecretRef("a")}, {"secret": SecretRef("a")}) == {}
    assert changes({"secret": SecretRef("a")}, {"secret": SecretRef("b")}) == {"secret": "live"}


def test_a_value_that_is_not_known_may_be_a_change() -> None:
    found = compare(instance(sprung="s1"), {"sprung": LATER}, THING, PROFILE, resource(), None)
    assert [(c.prop, c.effect, only_maybe(c)) for c in found] == [("sprung", "replace", True)]
    assert not only_maybe(compare(instance(kind=1), {"kind": 2}, THING, PROFILE, resource(), None)[0])


@pytest.mark.parametrize(("before", "after", "effect"), [(192, 128, "live"), (128, 192, "reboot")])
def test_a_type_may_strengthen_the_schema(before: int, after: int, effect: str) -> None:
    old = Instance("x", 1, "SE::Server", {"physical_id": "x"}, {"memory": before})
    assert [c.effect for c in compare(old, {"memory": after}, SERVER, PROFILE, resource(), None)] == [effect]


def test_the_strongest_of_several() -> None:
    assert strongest(iter(["live", "replace", "reboot"])) == "replace"
    assert strongest(iter(())) == "none"


def test_contributions_are_compared_key_by_key() -> None:
    old = Instance("x", 1, "Lab::Thing", {"physical_id": "x"}, {}, contributed={"members": [{"id": "a"}]})
    found = compare_contributed(old, {"members": [{"id": "b"}], "spans": [{"id": "c"}]}, THING, resource())
    assert {c.prop: c.effect for c in found} == {"contributed.members": "live", "contributed.spans": "replace"}
    assert compare_contributed(old, {"members": [{"id": "a"}]}, THING, resource()) == []
