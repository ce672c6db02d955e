"""A new key encrypts everything anew and changes no plan; a rotation that was cut off is finished or undone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stackengine.service import stacks
from stackengine.store import vault
from unit.service.house import House, run

TEXT = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string, hidden: true, default: hush-hush}}
resources:
  web: {type: SE::Server, properties: {image: tiny, user_data: {get_param: word}}}
outputs: {word: {value: {get_param: word}}}
"""


def opened(house: House) -> object:
    return stacks.outputs(House(house.folder).session, "shop", show_secrets=True)["word"].value


def test_a_rotation_keeps_every_secret_and_every_plan(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(TEXT)
    before = (house.folder / "key").read_bytes()
    run(house, capsys, "key", "rotate")
    file = house.folder / "key"
    assert file.read_bytes() != before
    assert file.stat().st_mode & 0o077 == 0
    again = House(house.folder)
    assert again.plan(TEXT).plan.empty
    assert opened(house) == "hush-hush"
    run(house, capsys, "key", "rotate")
    assert opened(house) == "hush-hush"
    file.write_bytes(before)
    run(house, capsys, "outputs", "shop", "word", "--show-secrets", code=1)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_rotation_that_was_cut_off(house: House, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house.up(TEXT)
    if cut == "before":
        (house.folder / "key.new").write_bytes(b"n" * 64)
    else:
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(OSError, match="cut"):
            vault.rotate(house.session.store.database, house.folder, house.session.store.key, lambda _connection: None)
        monkeypatch.undo()
    assert opened(house) == "hush-hush"
    assert not (house.folder / "key.new").exists()


def test_a_command_beside_a_rotation_waits_and_drops_nothing(house: House) -> None:
    house.up(TEXT)
    store, began, goes_on = house.session.store, threading.Event(), threading.Event()

    def check(_connection: object) -> None:
        (house.folder / "key.new").write_bytes(b"n" * 64)  # as far as a rotation has come when somebody else looks
        began.set()
        assert goes_on.wait(30)

    with ThreadPoolExecutor(2) as pool:
        rotation = pool.submit(vault.rotate, store.database, house.folder, store.key, check)
        assert began.wait(30)
        other = pool.submit(vault.fitting_key, store.database, house.folder, vault.load_key(house.folder))
        with pytest.raises(TimeoutError):
            other.result(0.3)
        goes_on.set()
        assert other.result(30) == rotation.result(30) == vault.load_key(house.folder)
