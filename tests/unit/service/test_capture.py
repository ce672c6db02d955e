"""An image that is made of a server: named by templates, on its own when the server goes, and gone when nobody has it."""

from __future__ import annotations

import pytest

from stackengine.service import images, snapshots
from stackengine.service.capture import capture
from stackengine.service.types import ServiceError
from unit.service.house import STACK, House

pytestmark = pytest.mark.thorough

SERVER = "web: {type: 'SE::Server', properties: {image: debian-12}}\n"


def test_a_server_becomes_an_image_that_another_one_starts_from(house: House) -> None:
    house.up(SERVER)
    snapshots.take(house.session, STACK, name="before")
    for name, snapshot in (("golden", ""), ("older", "before")):
        made = capture(house.session, name, STACK, "web", snapshot)
        assert (made.name, made.origin, made.user, made.added, made.held > 0) == (name, "file", "debian", True, True)
    assert [s.name for s in snapshots.ls(house.session, STACK)] == ["before"], "the snapshot that was made for it is gone again"
    house.up(SERVER + "other: {type: 'SE::Server', properties: {image: golden}}\n")
    with pytest.raises(ServiceError, match="is used by"):
        images.rm(house.session, ["golden"])
    house.up(SERVER)
    assert images.rm(house.session, ["golden", "older"]).bytes > 0
    assert list((house.folder / "images" / "captured").iterdir()) == []


def test_what_cannot_be_an_image_is_told(house: House) -> None:
    house.up(SERVER + "direct: {type: 'SE::Server', properties: {image: tiny}}\n")
    for name, server, snapshot, why in (
        ("golden", "direct", "", "boots from no disk"), ("golden", "db", "", "no server db"), ("golden", "web", "never", "no snapshot never"),
        ("debian-12", "web", "", "comes with"), ("A/B", "web", "", "no name for an image"),
    ):  # fmt: skip
        with pytest.raises(ServiceError, match=why):
            capture(house.session, name, STACK, server, snapshot)
    assert snapshots.ls(house.session, STACK) == []
