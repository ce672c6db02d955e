"""A lost database comes back from what its host carries; a broken one says so and loses nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from stackengine.service import drift
from stackengine.service.stacks import carry_out, outputs
from stackengine.service.types import ServiceError
from unit.service.house import House, run
from unit.store.older import bring_back

pytestmark = pytest.mark.thorough

STACK = """\
net: {type: SE::Network, properties: {cidr: auto}}
port: {type: SE::Port, properties: {network: {get_resource: net}}}
db: {type: SE::Volume, properties: {size: 1}, metadata: {stackengine: {protect: true}}}
web: {type: SE::Server, properties: {image: tiny, memory: 128, user_data: hush-hush, networks: [{port: {get_resource: port}}]}}
att: {type: SE::VolumeAttachment, properties: {server: {get_resource: web}, volume: {get_resource: db}}}
"""


def lose(house: House) -> House:
    """The database is gone; the key, the locks and the host stay."""
    house.session.close()
    for file in house.folder.glob("stackengine.db*"):
        file.unlink()
    return House(house.folder)


@pytest.mark.parametrize("how", ["up", "repair"])
def test_a_lost_database_is_rebuilt_and_everything_is_taken_over(house: House, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(STACK)
    before, objects = house.instances(), house.host.snapshot()
    again = lose(house)
    found = run(again, capsys, "recover", "--from-host", "memory://", "--yes")[0]
    assert {r["path"] for r in found["stacks"][0]["resources"]} == {"net", "port", "db", "web"}
    assert (found["stacks"][0]["revision"], found["stacks"][0]["outputs"]) == (1, [])
    lost = {n["what"].removeprefix("shop: ") for n in found["not_recovered"]}
    assert lost == {"image:tiny@1", "att", "the template's text, its parameters and revisions before 1"}
    assert again.instances()["db"].protected
    assert (drift.preview_repair(again.session, "shop") if how == "repair" else again.plan(STACK)).plan.counts()["destroy"] == 0
    assert (carry_out(again.session, drift.preview_repair(again.session, "shop")) if how == "repair" else again.up(STACK)).status == "complete"
    assert again.plan(STACK).plan.empty
    after = again.instances()
    assert {p: i.identity for p, i in after.items()} == {p: i.identity for p, i in before.items()}
    now = again.host.snapshot()
    assert now["domains"].keys() == objects["domains"].keys()
    assert not {"domain_start", "domain_destroy", "domain_shutdown", "domain_undefine"} & again.host.faults.counts.keys()
    assert {p: set(v["volumes"]) for p, v in now["pools"].items()} == {p: set(v["volumes"]) for p, v in objects["pools"].items()}
    run(again, capsys, "unprotect", "shop", "db")
    assert again.down().status == "complete"
    assert again.domains() == {}


def test_outputs_and_the_revision_come_back_and_no_secret_does(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    text = """heat_template_version: 2018-08-31
parameters: {word: {type: string, hidden: true, default: hush-hush}}
resources:
  db: {type: SE::Volume, properties: {size: 1}}
  web: {type: SE::Server, properties: {image: tiny, user_data: {get_param: word}}}
outputs: {where: {value: {get_attr: [web, address]}}, plain: {value: said}, word: {value: {get_param: word}}}
"""
    house.up(text)
    house.up(text.replace("size: 1", "size: 2"))
    address = outputs(house.session, "shop")["where"].value
    again = lose(house)
    found = run(again, capsys, "recover", "--from-host", "memory://", "--yes")[0]
    assert (found["stacks"][0]["revision"], found["stacks"][0]["outputs"]) == (2, ["plain", "where", "word"])
    assert "shop: the secrets of web, output word" in {n["what"] for n in found["not_recovered"]}
    back = outputs(again.session, "shop")
    assert (back["where"].value, back["plain"].value, "hush" in str(back)) == (address, "said", False)
    assert again.up(text.replace("size: 1", "size: 2"), allow=()).status == "complete"
    assert outputs(again.session, "shop", show_secrets=True)["word"].value == "hush-hush"


def test_what_another_key_sealed_is_listed_and_left(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(STACK)
    again = lose(house)
    (house.folder / "key").unlink()
    found = run(again, capsys, "recover", "--from-host", "memory://", "--yes", code=1)[0]
    assert found["stacks"] == []
    assert all("another key" in n["why"] for n in found["not_recovered"])
    assert len(again.domains()) == 1


def test_what_the_store_knows_is_not_recovered(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(STACK)
    found = run(house, capsys, "recover", "--from-host", "memory://", "--yes")[0]
    assert (found["stacks"], found["not_recovered"]) == ([], [])


def test_records_on_the_host_hold_no_secret(house: House) -> None:
    text = "heat_template_version: 2018-08-31\nparameters: {word: {type: string, hidden: true, default: hush-hush}}\nresources:\n"
    house.up(text + "  web: {type: SE::Server, properties: {image: tiny, user_data: {get_param: word}}}\n")
    state = house.host.snapshot()
    assert all("hush" not in d["xml"] for d in state["domains"].values())


def broken(house: House, make: str) -> str:
    file = house.folder / "stackengine.db"
    house.session.close()
    match make:
        case "damaged":
            file.write_bytes(b"SQLite format 3\0" + os.urandom(8000))
        case "newer":
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                connection.execute("UPDATE store_meta SET value = '99' WHERE key = 'schema'")
        case "no database":
            file.write_bytes(b"this is text\n" * 200)
    for other in house.folder.glob("stackengine.db-*"):
        other.unlink()
    before = file.read_bytes()
    with pytest.raises(ServiceError) as caught:
        _ = House(house.folder).session.store
    assert file.read_bytes() == before
    return f"{caught.value} | {caught.value.hint}"


@pytest.mark.parametrize(("make", "said"), [("damaged", "is damaged"), ("newer", "written by a newer version"), ("no database", "is damaged")])
def test_a_database_that_cannot_be_used_says_so_and_is_left_alone(house: House, make: str, said: str) -> None:
    house.up("nothing: {type: OS::Heat::None}\n")
    assert said in broken(house, make)


def test_a_locked_database_is_waited_for_and_then_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackengine.store.database.BUSY_SECONDS", 0.2)
    house.up("nothing: {type: OS::Heat::None}\n")
    preview = House(house.folder).plan("other: {type: OS::Heat::None}\n")
    with sqlite3.connect(house.folder / "stackengine.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceError, match="locked by another process"):
            house.up("other: {type: OS::Heat::None}\n")
        other.execute("ROLLBACK")
    assert preview.stack == "shop"
    assert house.up("other: {type: OS::Heat::None}\n").status == "complete"


def test_an_older_database_is_copied_before_it_is_changed(house: House, tmp_path: Path) -> None:
    house.up("nothing: {type: OS::Heat::None}\n")
    house.session.close()
    file = house.folder / "stackengine.db"
    bring_back(file, 1)
    again = House(house.folder)
    assert again.instances().keys() == {"nothing"}
    backups = list(house.folder.glob("*.backup"))
    assert len(backups) == 1
    assert backups[0].stat().st_mode & 0o077 == 0
    older = tmp_path / "older"
    older.mkdir()
    shutil.copy(backups[0], older / "stackengine.db")
    shutil.copy(house.folder / "key", older / "key")
    assert House(older).instances().keys() == {"nothing"}
