"""What an update grew or wrote over comes back from a copy: same size, same content; no copy is left when an operation has ended well."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from stackengine.sdk import RefusedError
from stackengine.service import recover, stacks
from unit.service.house import House

pytestmark = pytest.mark.thorough

NET = "net: {type: SE::Network, properties: {cidr: 10.9.1.0/24}}\n"
DATA = "data: {type: SE::Volume, properties: {size: %d}}\n"
WEB = "web: {type: SE::Server, properties: {image: ./disk.raw, networks: [{network: {get_resource: net}}]%s}}\n"
ATTACHED = "att: {type: SE::VolumeAttachment, properties: {server: {get_resource: web}, volume: {get_resource: data}}}\n"
BOOM = "boom: {type: SE::Server, properties: {image: tiny, networks: [{network: {get_resource: net}}]}, depends_on: [data, web]}\n"
ALONE, USED, HOT = NET + DATA, NET + DATA + WEB % ", volumes: [{volume: {get_resource: data}}]", NET + DATA + WEB % "" + ATTACHED


@pytest.fixture(autouse=True)
def image(house: House) -> None:
    """An image with a disk of its own."""
    (house.folder / "disk.raw").write_bytes(bytes(1 << 20))


def content(house: House, volume: str, text: str | None = None) -> str:
    """What a volume holds; ``text``: what a guest writes to it."""
    with house.host._file.changing() as state:
        known = state["pools"]["default"]["volumes"][volume]
        if text is not None:
            known["data"] = base64.b64encode(text.encode()).decode()
        return base64.b64decode(known["data"]).decode()


def disk_of(house: House, path: str) -> str:
    identity = house.instances()[path].identity
    return str(identity.get("volume_name") or f"{identity['name']}-root.qcow2")


def capacity(house: House, volume: str) -> int:
    found = house.host.volume_info("default", volume)
    assert found is not None
    return found.capacity >> 30


def fail_at_boom(house: House, resources: str, **options: Any) -> str:
    """An update whose last server does not start."""
    preview = house.plan(resources + BOOM)
    boom = preview.plan.actions[next(i for i in preview.plan.actions if i.startswith("create:boom"))].instance.identity["name"]
    starts = house.host._simulate_guest

    def start(state: Any, domain: Any) -> None:
        if domain.findtext("name") == boom:
            raise RefusedError("it does not start (refused on purpose)", code=1)
        starts(state, domain)

    house.host._simulate_guest = start  # type: ignore[method-assign]
    try:
        return stacks.carry_out(house.session, preview, allow=None, **options).status
    finally:
        house.host._simulate_guest = starts  # type: ignore[method-assign]


@pytest.mark.parametrize("before", [ALONE, USED, HOT], ids=["alone", "used", "attached"])
def test_a_volume_that_grew_is_small_again_and_holds_what_it_held(house: House, before: str) -> None:
    house.up(before % 1 + (WEB % "" if before is ALONE else ""))
    disk, states, uuids = disk_of(house, "data"), house.domains(), {i.id: i.identity for i in house.instances().values()}
    content(house, disk, "from the guest")
    assert fail_at_boom(house, before % 3 + (WEB % "" if before is ALONE else "")) == "rolled_back"
    assert (capacity(house, disk), content(house, disk)) == (1, "from the guest")
    assert not [v for v in house.volumes() if ".before-" in v], "a copy is left"
    assert (house.domains(), {i.id: i.identity for i in house.instances().values()}) == (states, uuids)
    assert all(i.sure and i.status == "ready" and not i.copies for i in house.instances().values())
    assert house.plan(before % 1 + (WEB % "" if before is ALONE else "")).plan.empty
    with house.host._file.reading() as state:
        wanted = 0 if before is ALONE else 1
        assert sum(disk in d["live_xml"] for d in state["domains"].values()) == wanted, "its guest has it again"
    assert house.down().status == "complete"
    assert house.volumes() == set()


def test_what_was_written_after_the_copy_goes_and_the_plan_says_so(house: House) -> None:
    house.up(ALONE % 1)
    disk = disk_of(house, "data")
    content(house, disk, "before")
    house.up(ALONE % 1 + WEB % "")
    assert fail_at_boom(house, ALONE % 2 + WEB % "", on_failure="keep") == "failed"
    assert (capacity(house, disk), [c.status for c in house.instances()["data"].copies]) == (2, ["whole"])
    content(house, disk, "after")
    plan = stacks.preview_rollback(house.session, "shop").plan
    assert plan.actions["restore:data@1:1"].notes == ("what was written to its disks since the copy was taken is lost",)
    assert plan.counts()["change"] == 2, "data, and the network that knew of boom"
    assert stacks.carry_out(house.session, stacks.preview_rollback(house.session, "shop"), allow=["boom"]).status == "complete"
    assert (capacity(house, disk), content(house, disk)) == (1, "before")
    assert house.volumes() & {f"{disk}.before-1"} == set()


def test_an_update_that_ends_well_leaves_no_copy(house: House) -> None:
    house.up(USED % 1)
    plan = house.plan(USED % 2).plan
    assert next(iter(plan.actions)) == "copy:data@1:1"
    assert plan.actions["copy:data@1:1"].notes == ("takes up to 1 GiB of room until the update has ended well",)
    assert list(plan.actions)[-1] == "discard:data@1"
    assert plan.actions["update:data@1"].notes == ()
    house.up(USED % 2)
    assert house.volumes() == {disk_of(house, "data"), disk_of(house, "web")}


def test_the_disk_of_a_server_comes_back_too(house: House) -> None:
    house.up(NET + DATA % 1 + WEB % ", disk: 8")
    disk = disk_of(house, "web")
    content(house, disk, "files")
    assert fail_at_boom(house, NET + DATA % 1 + WEB % ", disk: 9") == "rolled_back"
    assert (capacity(house, disk), content(house, disk)) == (8, "files")
    assert set(house.domains().values()) == {"running"}


def test_user_data_that_runs_again_is_taken_back(house: House) -> None:
    user_data = ", user_data: %s, user_data_update: reboot"
    house.up(NET + DATA % 1 + WEB % (user_data % "run one"))
    disk = disk_of(house, "web")
    content(house, disk, "what one made")
    assert "copy:web@1:1" in house.plan(NET + DATA % 1 + WEB % (user_data % "run two")).plan.actions
    fake = house.host._simulate_guest

    def guest(state: Any, domain: Any) -> None:
        fake(state, domain)
        files = [f for f in (source.get("file") for source in domain.findall("devices/disk/source")) if f]
        if any("run two" in house.host._seed_of(state, f) for f in files):
            volume = next(v for v in state["pools"]["default"]["volumes"].values() if v["path"] in files and v["path"].endswith("-root.qcow2"))
            volume["data"] = base64.b64encode(b"what two made").decode()

    house.host._simulate_guest = guest  # type: ignore[method-assign]
    assert fail_at_boom(house, NET + DATA % 1 + WEB % (user_data % "run two")) == "rolled_back"
    assert content(house, disk) == "what one made"
    house.up(NET + DATA % 1 + WEB % (user_data % "run two"))
    assert content(house, disk) == "what two made", "the simulated guest does write"


def test_where_there_is_no_room_the_plan_says_so_and_goes_on_without(house: House) -> None:
    house.up(ALONE % 4)
    with house.host._file.changing() as state:
        state["pools"]["default"]["capacity"] = 3 << 30
    plan = house.plan(ALONE % 5).plan
    assert not [a for a in plan.actions if a.startswith(("copy:", "discard:"))]
    assert plan.actions["update:data@1"].notes[0].startswith("a rollback cannot bring its disk back: a copy takes up to 4096 MiB, and the pool default has ")


def test_saved_memory_that_knew_the_disk_goes_with_what_it_knew(house: House) -> None:
    saved = NET + DATA + WEB % ", power: suspended, volumes: [{volume: {get_resource: data}}]"
    house.up(USED % 1)
    house.up(saved % 1)
    assert set(house.domains().values()) == {"saved"}
    assert fail_at_boom(house, saved % 2) == "rolled_back"
    assert set(house.domains().values()) == {"shutoff"}, "it would go on with a file system that is no longer the disk's"
    assert house.up(USED % 1).status == "complete"
    assert set(house.domains().values()) == {"running"}


def recovered(house: House) -> House:
    """The database is lost, and rebuilt from what the host carries."""
    house.session.close()
    for file in house.folder.glob("stackengine.db*"):
        file.unlink()
    again = House(house.folder)
    recover.record(again.session, recover.look(again.session, "memory://"))
    return again


def test_copies_are_known_again_when_the_database_was_lost(house: House) -> None:
    house.up(ALONE % 1 + WEB % "")
    assert fail_at_boom(house, ALONE % 2 + WEB % "", on_failure="keep") == "failed"
    again = recovered(house)
    assert [(c.id, c.status, c.properties["size"]) for c in again.instances()["data"].copies] == [("1", "whole", 1)]
    assert again.up(ALONE % 2 + WEB % "").status == "complete"
    assert not [v for v in again.volumes() if ".before-" in v]


def test_a_disk_that_was_just_being_brought_back_comes_back_without_the_database(house: House) -> None:
    house.up(ALONE % 1 + WEB % "")
    disk = disk_of(house, "data")
    content(house, disk, "before")
    assert fail_at_boom(house, ALONE % 2 + WEB % "", on_failure="keep") == "failed"

    house.faults(fail={"volume_copy": 1})
    assert stacks.carry_out(house.session, stacks.preview_rollback(house.session, "shop"), allow=["boom"]).status == "rollback_failed"
    assert disk not in house.volumes()
    again = recovered(house)
    assert again.up(ALONE % 1 + WEB % "", allow=["boom"]).status == "complete"
    assert (capacity(again, disk), content(again, disk)) == (1, "before")
    assert not [v for v in again.volumes() if ".before-" in v]
