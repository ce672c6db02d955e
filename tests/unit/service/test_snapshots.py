"""Snapshots of servers: made, listed, restored, deleted; what a crash left is finished; and what cannot be is said before anything is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stackengine.cli.main import main
from stackengine.hosts.memory.faults import Crash
from stackengine.service import snapshots
from stackengine.service.environments import cuts
from stackengine.service.types import ServiceError
from unit.cli.cli_documents import check
from unit.service.house import STACK, House

pytestmark = pytest.mark.thorough

SERVERS = """
web: {type: 'SE::Server', properties: {image: debian-12, metadata: {role: web}}}
db: {type: 'SE::Server', properties: {image: debian-12}}
"""
CHANGED = SERVERS.replace("role: web", "role: shop")


def domain(house: House, path: str) -> dict[str, Any]:
    return house.host.snapshot()["domains"][house.instances()[path].physical_id]


def root_disk(house: House, path: str) -> dict[str, Any]:
    return house.host.snapshot()["pools"]["default"]["volumes"][f"{house.instances()[path].identity['name']}-root.qcow2"]


def write_to(house: House, path: str, capacity: int) -> None:
    house.host.volume_resize("default", f"{house.instances()[path].identity['name']}-root.qcow2", capacity)


def test_a_restore_brings_back_disk_and_memory(house: House) -> None:
    house.up(SERVERS)
    before = house.host.snapshot()
    made = snapshots.take(house.session, STACK, ["web"])
    assert (made.name, list(made.servers)) == ("snapshot-1", ["web"])
    write_to(house, "web", 7 << 30)
    write_to(house, "db", 7 << 30)
    house.host.domain_destroy(house.instances()["web"].physical_id)
    assert snapshots.restore(house.session, STACK, "snapshot-1") == {}
    assert root_disk(house, "web") == before["pools"]["default"]["volumes"][f"{house.instances()['web'].identity['name']}-root.qcow2"]
    assert domain(house, "web") == before["domains"][house.instances()["web"].physical_id]
    assert root_disk(house, "db")["capacity"] == 7 << 30


def test_a_server_that_has_changed_starts_from_its_disks(house: House) -> None:
    house.up(SERVERS)
    snapshots.take(house.session, STACK, name="before")
    house.up(CHANGED)
    write_to(house, "web", 7 << 30)
    assert list(snapshots.restore(house.session, STACK, "before")) == ["web"]
    assert root_disk(house, "web")["capacity"] < 7 << 30
    assert "shop" in domain(house, "web")["live_xml"]
    assert house.plan(CHANGED).plan.empty
    assert snapshots.restore(house.session, STACK, "before", ["db"], disks_only=True) == {}


@pytest.mark.parametrize("call", ["domain_shutdown", "guest_restored", "domain_define", "domain_resume"])
def test_a_restore_that_is_killed_is_finished_by_resume(house: House, call: str) -> None:
    house.up(SERVERS)
    snapshots.take(house.session, STACK, name="before")
    write_to(house, "web", 7 << 30)

    def die(name: str, _number: int) -> None:
        if name == call:
            raise Crash

    house.faults(before=die)
    with pytest.raises(Crash):
        snapshots.restore(house.session, STACK, "before", ["web"])
    house.faults()
    with pytest.raises(ServiceError, match="was not finished"):
        house.up(CHANGED)
    assert main(["resume", STACK, "--state", str(house.folder)]) == 0
    assert root_disk(house, "web")["capacity"] < 7 << 30
    assert domain(house, "web")["state"] == "running"
    assert house.up(CHANGED).status == "complete"


def test_a_snapshot_that_is_killed_leaves_nothing(house: House) -> None:
    house.up(SERVERS)

    def die(name: str, _number: int) -> None:
        if name == "guests_cut":
            raise Crash

    house.faults(after=None, before=die)
    with pytest.raises(Crash):
        snapshots.take(house.session, STACK)
    house.faults()
    assert "was not made" in snapshots.settle(house.session, STACK)
    assert snapshots.ls(house.session, STACK) == []
    snapshots.take(house.session, STACK)
    snapshots.drop(house.session, STACK, "snapshot-1")
    assert list(cuts.root(house.session).iterdir()) == []


def test_what_cannot_be_restored_is_said_before_anything_is_touched(house: House) -> None:
    house.up(SERVERS)
    snapshots.take(house.session, STACK, name="before")
    before = house.host.snapshot()["domains"]
    for name, paths, what in (("befor", (), "no snapshot befor"), ("before", ("nobody",), "has no server nobody")):
        with pytest.raises(ServiceError, match=what):
            snapshots.restore(house.session, STACK, name, paths)
    assert house.host.snapshot()["domains"] == before
    house.up(SERVERS, allow=None)
    house.up(SERVERS.replace("image: debian-12, metadata", "image: debian-13, metadata"))
    with pytest.raises(ServiceError, match="web is another server"):
        snapshots.restore(house.session, STACK, "before")
    assert snapshots.restore(house.session, STACK, "before", ["db"]) == {}


def test_snapshots_go_with_their_stack(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(SERVERS)
    state = ["--state", str(house.folder)]
    assert main(["snapshot", STACK, "--name", "one", "--json", *state]) == 0
    assert check(json.loads(capsys.readouterr().out))["snapshots"][0]["servers"]["web"]["memory"]
    assert main(["snapshot", STACK, "web", "--name", "one", *state]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["snapshots", STACK, *state]) == 0
    assert "db, web" in capsys.readouterr().out
    assert main(["restore", STACK, "one", "--yes", "--json", *state]) == 0
    assert check(json.loads(capsys.readouterr().out))["servers"] == ["db", "web"]
    assert main(["snapshots", STACK, "--delete", "one", "--json", *state]) == 0
    assert check(json.loads(capsys.readouterr().out))["snapshots"] == []
    assert main(["snapshot", STACK, *state]) == 0
    assert len(list(cuts.root(house.session).iterdir())) == 1
    house.down()
    assert list(cuts.root(house.session).iterdir()) == []
