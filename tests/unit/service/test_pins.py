"""stack.lock beside a template: what it pins is in the plan, what is not in order is said, and images are named, held and removed by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackengine.cli.main import main
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import images
from stackengine.service.session import Session
from stackengine.service.types import ServiceError
from unit.cli.cli_documents import check
from unit.service.house import STACK, House

pytestmark = pytest.mark.thorough

IMAGE = """
disk: {type: 'SE::Image', properties: {source: 'http://127.0.0.1:9/disk.qcow2'}}
file: {type: 'SE::Image', properties: {source: './disk.raw'}}
"""
SOURCE = "http://127.0.0.1:9/disk.qcow2"


def lock(house: House, digest: str) -> None:
    (house.folder / "stack.lock").write_text(f"images:\n  '{SOURCE}': sha256:{digest}\n")


def test_what_is_locked_stands_in_the_plan_and_stays_when_the_lock_is_lost(house: House) -> None:
    lock(house, "a" * 64)
    assert house.up(IMAGE).status == "complete"
    assert house.instances()["disk"].properties["sha256"] == "sha256:" + "a" * 64
    assert "sha256" not in house.instances()["file"].properties  # nothing is fetched for a file
    (house.folder / "stack.lock").unlink()
    assert house.plan(IMAGE).plan.empty
    lock(house, "b" * 64)
    assert house.plan(IMAGE).plan.counts()["replace"] == 1
    own = IMAGE.replace("disk.qcow2'", "disk.qcow2', sha256: 'sha256:" + "a" * 64 + "'")
    assert house.plan(own).plan.empty  # what the template says itself counts


@pytest.mark.parametrize("text", ["images: [1]", "images: {a: b}", "- x", "a: [", "images: {a: 'sha256:12'}"])
def test_a_lock_that_is_not_in_order_is_a_fault_at_its_place(house: House, text: str) -> None:
    (house.folder / "stack.lock").write_text(text)
    with pytest.raises(InvalidTemplateError) as wrong:
        house.plan(IMAGE)
    assert [(d.code, Path(d.mark.file).name) for d in wrong.value.diagnostics.errors] == [("E320", "stack.lock")]


def test_newer_images_are_asked_for_where_they_come_from(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(house.folder / "config"))
    with pytest.raises(ServiceError, match="which is a private address"):
        house.plan(IMAGE, upgrade_images=True)
    owner = house.folder / "config" / "stackengine" / "owner.yaml"
    owner.parent.mkdir(parents=True)
    for said in ({"allow": {"urls": ["http://127.0.0.1:9/"]}}, {"downloads": {"mirrors": {"http://other.example/": "http://127.0.0.1:9/"}}}):
        owner.write_text(json.dumps(said))
        house.session = Session(house.session.settings)
        with pytest.raises(ServiceError, match="cannot fetch"):
            house.plan(IMAGE, upgrade_images=True)


def test_an_added_image_is_listed_with_the_stacks_that_have_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    disk = house.folder / "ours.raw"
    disk.write_bytes(bytes(512))
    state = ["--state", str(house.folder)]
    assert main(["images", "add", "ours", str(disk), "--user", "admin", *state]) == 0
    assert house.up("web: {type: 'SE::Server', properties: {image: ours}}").status == "complete"
    capsys.readouterr()
    assert main(["images", "ls", "--json", *state]) == 0
    found = {i["name"]: i for i in check(json.loads(capsys.readouterr().out))["images"]}["ours"]
    assert (found["stacks"], found["origin"], found["added"], found["bytes_here"], found["user"]) == ([STACK], "file", True, 512, "admin")
    assert main(["images", "rm", "ours", *state]) == 1
    assert "is used by shop" in capsys.readouterr().err
    layers = {v.name for v in house.host.volume_list("se-layers")}
    assert images.prune(house.session).things == ()
    house.down()
    pretended = images.prune(house.session, pretend=True)
    assert {v.name for v in house.host.volume_list("se-layers")} == layers
    assert images.prune(house.session) == pretended
    assert len(pretended.things) == 1
    assert house.host.volume_list("se-layers") == []
    assert main(["images", "rm", "ours", "--json", *state]) == 0
    assert check(json.loads(capsys.readouterr().out))["things"] == ["ours"]
    assert main(["images", "prune", "--dry-run", *state]) == 0
    assert "0 MiB would be free" in capsys.readouterr().err


def test_layers_of_another_host_go_when_nobody_stands_on_them(house: House) -> None:
    house.up("web: {type: 'SE::Server', properties: {image: debian-12}}\nother: {type: 'SE::Server', properties: {image: debian-13}}")
    assert len([v for v in house.host.volume_list("se-layers") if not v.name.endswith(".json")]) == 2
    house.up("web: {type: 'SE::Server', properties: {image: debian-12}}")
    freed = images.prune(house.session)
    assert len(freed.things) == 1
    left = {v.name for v in house.host.volume_list("se-layers")}
    assert {f"{name}.json" for name in left if not name.endswith(".json")} == {name for name in left if name.endswith(".json")}
    assert len(left) == 2
