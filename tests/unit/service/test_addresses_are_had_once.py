"""An address is had once in a stack, by whoever it may be, and goes from one to the next without a moment in which two answer for it."""

from __future__ import annotations

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from unit.service.house import House, plan_of

NET = "net: {type: 'SE::Network', properties: {cidr: 10.1.0.0/24}}\nout: {type: 'SE::Network', properties: {cidr: 10.2.0.0/24}}\n"
ON = "network: {get_resource: net}"
PORT = "%s: {type: 'SE::Port', properties: {" + ON + ", %s}}\n"
FLOATING = "%s: {type: 'SE::FloatingIP', properties: {%s}}\n"
OWN = "web: {type: 'SE::Server', properties: {image: tiny, networks: [{" + ON + ", address: 10.1.0.5}]%s}}\n"
WITH = "web: {type: 'SE::Server', properties: {image: tiny, networks: [{port: {get_resource: %s}}]%s}}\n"


@pytest.mark.parametrize(
    ("two", "who"),
    [
        (PORT % ("q", "address: 10.1.0.5") + PORT % ("r", "address: 10.1.0.5"), "q and r"),
        (PORT % ("q", "also: [{address: 10.1.0.5}]") + PORT % ("r", "address: 10.1.0.5"), "q and r"),
        (PORT % ("q", "address: 10.1.0.5") + OWN % "", "q and web"),
        (FLOATING % ("f", ON + ", address: 10.1.0.5") + PORT % ("q", "address: 10.1.0.5"), "f and q"),
        (FLOATING % ("f", "address: 100.96.0.9") + FLOATING % ("g", "address: 100.96.0.9"), "f and g"),
    ],
)
def test_two_cannot_have_one_address(house: House, two: str, who: str) -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(NET + two)
    address = "100.96.0.9" if "100.96" in two else "10.1.0.5"
    assert [(d.code, d.summary) for d in caught.value.diagnostics.errors] == [("L120", f"{who} cannot both have the address {address}")]


def test_a_server_has_its_ports_address_together_with_it_and_other_networks_have_others(house: House) -> None:
    two = FLOATING % ("f", "network: {get_resource: out}, address: 10.2.0.5") + PORT % ("q", "address: 10.1.0.5")
    assert house.up(NET + two + WITH % ("q", "")).status == "complete"



def before(house: House, resources: str, one: str, other: str) -> bool:
    """Whether the plan lets ``other`` begin only when ``one`` has ended."""
    actions = house.plan(resources).plan.actions
    queue, seen = [other], set[str]()
    while queue:
        found = queue.pop()
        if found not in seen:
            seen.add(found)
            queue.extend(e.action for e in actions[found].after)
    return one in seen


@pytest.mark.parametrize("was", [OWN % ", user_data: one", PORT % ("q", "address: 10.1.0.5") + WITH % ("q", ", user_data: one")])
@pytest.mark.parametrize("becomes", [OWN % ", user_data: two", PORT % ("r", "address: 10.1.0.5") + WITH % ("r", ", user_data: two")])
def test_the_old_server_is_stopped_before_the_new_one_has_its_address(house: House, was: str, becomes: str) -> None:
    house.up(NET + was)
    old = house.instances()["web"]
    assert before(house, NET + becomes, "stop:web@1", "create:web@2"), plan_of(house.plan(NET + becomes))
    house.faults(fail={"domain_start": 1})
    assert house.up(NET + becomes).status == "rolled_back"
    house.faults()
    assert house.instances()["web"].identity == old.identity
    assert house.domains() == {old.physical_id: "running"}
    assert house.up(NET + becomes).status == "complete"
    assert house.instances()["web"].identity["address"] == "10.1.0.5"
    assert house.plan(NET + becomes).plan.empty


def test_two_ports_exchange_their_addresses(house: House) -> None:
    house.up(NET + PORT % ("q", "address: 10.1.0.5") + PORT % ("r", "address: 10.1.0.6"))
    assert house.up(NET + PORT % ("q", "address: 10.1.0.6") + PORT % ("r", "address: 10.1.0.5")).status == "complete"
    assert [house.instances()[p].identity["address"] for p in "qr"] == ["10.1.0.6", "10.1.0.5"]
