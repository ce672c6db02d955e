"""A server's interfaces come and go while it runs, and those that stay keep what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from unit.service.house import House

pytestmark = pytest.mark.thorough

NETWORKS = """
one: {type: 'SE::Network', properties: {mode: nat, cidr: auto}}
two: {type: 'SE::Network', properties: {mode: isolated, cidr: 10.9.0.0/24}}
group: {type: 'SE::SecurityGroup', properties: {rules: [{protocol: tcp, from_port: 80, to_port: 80}]}}
port: {type: 'SE::Port', properties: {network: {get_resource: two}, security_groups: [{get_resource: group}]}}
"""
FIRST, SECOND, PORT = "{network: {get_resource: one}}", "{network: {get_resource: two}}", "{port: {get_resource: port}}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.session.close()


def template(*interfaces: str, more: str = "") -> str:
    return f"{NETWORKS}\nweb: {{type: 'SE::Server', properties: {{image: tiny, networks: [{', '.join(interfaces)}]{more}}}}}"


def nics(house: House, view: str = "live_xml") -> dict[str, str]:
    """Alias -> MAC."""
    info = house.host.domain_info(house.instances()["web"].physical_id)
    assert info is not None
    found = ET.fromstring(getattr(info, view)).findall("devices/interface")
    return {i.find("alias").get("name", ""): i.find("mac").get("address", "") for i in found}  # type: ignore[union-attr]


def test_interfaces_come_and_go_while_the_server_runs(house: House) -> None:
    house.up(template(FIRST))
    before, first = house.instances()["web"], nics(house)
    calls = house.faults()
    plan = house.plan(template(FIRST, SECOND, PORT))
    changes = [(c.prop, c.effect) for a in plan.plan.actions.values() if a.path == "web" for c in a.changes]
    assert changes == [("networks", "live"), ("contributed.groups", "live")]
    house.up(template(FIRST, SECOND, PORT))
    assert "domain_reboot" not in calls.counts
    now, both = house.instances()["web"], nics(house)
    assert now.generation == before.generation
    assert [n["mac"] for n in now.identity["nics"]] == list(both.values()) == list(nics(house, "xml").values())
    assert first.items() <= both.items()
    house.up(template(FIRST, PORT))
    assert list(nics(house).values()) == [*first.values(), both[list(both)[2]]]
    house.up(template(FIRST, PORT, SECOND))  # one that comes back is what it was
    assert set(nics(house).items()) == set(both.items())
    assert house.plan(template(FIRST, PORT, SECOND)).plan.empty
    assert house.down().status == "complete"


def test_another_first_interface_is_another_server(house: House) -> None:
    house.up(template(FIRST, SECOND))
    assert house.plan(template(SECOND, FIRST)).plan.counts()["replace"] == 1
    assert house.plan(template(SECOND)).plan.counts()["replace"] == 1


@pytest.mark.parametrize("call", ["domain_attach", "domain_define", "network_update"])
def test_a_change_of_interfaces_that_fails_is_taken_back(house: House, call: str) -> None:
    house.up(template(FIRST, SECOND))
    before = nics(house)
    house.faults(fail={call: 1})
    assert house.up(template(FIRST, PORT)).status == "rolled_back"
    house.faults()
    assert nics(house) == nics(house, "xml") == before
    assert house.plan(template(FIRST, SECOND)).plan.empty


def test_a_network_goes_once_its_interface_has_gone(house: House) -> None:
    house.up(template(FIRST, SECOND))
    alone = template(FIRST).replace(NETWORKS.split("\n")[2], "").replace(NETWORKS.split("\n")[4], "")
    house.up(alone)
    assert len(nics(house)) == 1
    assert len([n for n in house.host.network_list() if n.name.startswith("se-")]) == 1


def test_a_new_interface_takes_an_address_that_is_free_and_keeps_it_claimed(house: House) -> None:
    house.up(template(FIRST))
    house.up(template(FIRST, "{network: {get_resource: two}, address: 10.9.0.77}"))
    assert "10.9.0.77" in {c.value for c in house.session.store.claims_of_others("memory://", "another")}
    assert house.instances()["web"].identity["nics"][1]["address"] == "10.9.0.77"
