"""The store fails while a command or a service runs (locked, damaged, gone): it is said in words, and what lives on goes on when it is mended."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stackengine.cli import saving
from stackengine.cli.commands import COMMANDS
from stackengine.cli.main import main
from stackengine.service import changes, owner, stacks, webhooks
from stackengine.service.environments import dns, reap, up
from stackengine.service.environments.life import TAG, Life
from stackengine.service.news import News
from stackengine.service.session import Session
from stackengine.service.types import Request, Settings
from stackengine.store.errors import StoreError
from unit.service.environments.test_dns import TEMPLATE, query, read
from unit.service.house import House
from unit.service.test_webhooks import NONE, Ear

ZONE = "env.internal"

@contextlib.contextmanager
def damaged(folder: Path) -> Iterator[None]:
    """The tables are not there meanwhile: whatever asks for one fails, though the database can be opened."""
    with contextlib.closing(sqlite3.connect(folder / "stackengine.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")
        tables = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if n not in ("store_meta", "alembic_version")]

        def rename(before: str, after: str) -> None:
            connection.execute("BEGIN IMMEDIATE")
            for name in tables:
                connection.execute(f"ALTER TABLE {before}{name} RENAME TO {after}{name}")
            connection.execute("COMMIT")

        rename("", "away_")
        yield
        rename("away_", "")


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


WORDS = {
    "up": ("FILE", "--name", "shop", "--yes"), "plan": ("FILE", "--name", "shop"), "hosts": ("ls",), "env": ("ls",), "changeset": ("ls",),
    "webhook": ("ls", "shop"),
    "policy": ("shop",), "images": ("ls",), "key": ("rotate",), "ls": (), "evacuate": ("test:///nowhere/at/all", "--host-is-dead", "--yes"),
    "snapshots": ("shop",), "restore": ("shop", "one", "--yes"), "import": ("FILE", "nothing", "x", "--name", "shop"), "mv": ("shop", "a", "b"),
    "forget": ("shop", "a"), "ssh": ("shop", "web"), "exec": ("shop", "web", "--", "true"), "cp": ("shop", "web:/etc/x", "out"),
    "logs": ("shop", "web"), "forward": ("shop", "web", "80"), "rescue": ("shop", "web"), "unrescue": ("shop", "web"), "migrate": ("shop", "web"),
    "recover": ("--from-host", "memory://"), "down": ("shop", "--yes"), "rollback": ("shop", "--yes"),
    "repair": ("shop", "--yes"),
}  # fmt: skip
NO_STORE = frozenset(("types", "completion", "new", "remote", "validate", "evaluate", "fmt", "convert", "pools", "console", "graph", "workflow"))
"""Commands that can do without a store, want a terminal first, or (``remote``) start another command."""


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in NO_STORE])
def test_a_command_says_what_is_wrong_with_the_store(house: House, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    words = [str(house.folder / "shop.yaml") if w == "FILE" else w for w in WORDS.get(command, ("shop",))]
    cut = words.index("--") if "--" in words else len(words)
    with damaged(house.folder):
        code = main([command, *words[:cut], "--state", str(house.folder), *words[cut:]])
    err = capsys.readouterr().err
    assert "internal error" not in err, err
    assert code == (125 if command == "exec" else 1), err
    assert "no such table" in err, err


def test_a_key_that_cannot_be_read_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    (house.folder / "key").unlink()
    (house.folder / "key").mkdir()
    assert main(["plan", str(house.folder / "shop.yaml"), "--name", "shop", "--state", str(house.folder)]) == 1
    assert "the key" in (said := capsys.readouterr().err), said
    assert "internal error" not in said


def test_a_trouble_is_said_once_until_it_is_over() -> None:
    said: list[str] = []
    news = News(said.append)
    for text in ("locked", "locked", "full", "locked"):
        news.trouble(text)
    news.fine()
    news.trouble("locked")
    assert said == ["locked", "full", "locked", "locked"]


def some_rounds(serving: subprocess.Popen[bytes]) -> None:
    """Until it has worked for a fifth of a second: a round takes some hundredths of it, however busy the machine is."""

    def worked() -> float:
        assert serving.poll() is None
        after_name = Path(f"/proc/{serving.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    before = worked()
    until(lambda: worked() >= before + 0.2)


def test_env_serve_goes_on_when_the_store_is_there_again(tmp_path: Path) -> None:
    Session(Settings(str(tmp_path))).store.close()
    command = [sys.executable, "-m", "stackengine.cli.main", "env", "serve", "--every", "0.05", "--state", str(tmp_path)]
    heard = tmp_path / "heard"
    with heard.open("w") as out:
        serving = subprocess.Popen(command, stderr=out, env={**os.environ, "NO_COLOR": "1", "STACKENGINE_HOST": "memory://"}, cwd=tmp_path)
    try:
        for times in (1, 2):
            with damaged(tmp_path):
                until(lambda t=times: heard.read_text().count("no such table") == t)  # type: ignore[misc]
                some_rounds(serving)
                assert heard.read_text().count("no such table") == times
            some_rounds(serving)
    finally:
        serving.terminate()
    assert serving.wait(30) == 0
    assert "Traceback" not in heard.read_text()


def test_names_are_answered_while_the_store_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner.yaml").write_text(f"pools: {{zone: {ZONE}, addresses: 127.64.0.0/24}}\n")
    monkeypatch.setattr(owner, "places", lambda: (tmp_path / "owner.yaml",))
    monkeypatch.setattr(dns, "LOOK_EVERY", 0.1)
    settings, said = Settings(str(tmp_path), "memory://"), list[str]()
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    with Session(settings) as session:
        stacks.carry_out(session, stacks.preview(session, Request("shop", tmp_path / "stack.yaml")))
        address = session.store.published_names()[f"www.shop.{ZONE}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def ask() -> tuple[int, str | None]:
        client.sendto(query(f"www.shop.{ZONE}"), ("127.0.0.1", port))
        return read(client.recv(512))

    with dns.serving(settings, f"127.0.0.1:{port}", said.append), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        assert ask() == (dns.OK, address)
        with damaged(tmp_path):
            until(lambda: (ask(), len(said)) == ((dns.OK, address), 1))
            time.sleep(0.2)  # long enough for another look
            assert ask() == (dns.OK, address)
            assert "no such table" in said[0]
        time.sleep(0.2)
        assert ask() == (dns.OK, address)
    assert len(said) == 1


def test_webhooks_are_told_when_the_store_is_there_again(house: House) -> None:
    house.up(NONE)
    ear = Ear()
    with Session(house.session.settings) as session:
        webhooks.add(session, "shop", ear.url, [], since=0)
    before = threading.excepthook
    broken: list[object] = []
    threading.excepthook = broken.append
    try:
        with contextlib.ExitStack() as held:
            held.enter_context(damaged(house.folder))
            telling = webhooks.Telling(house.session.settings, "shop")
            telling.__enter__()
            time.sleep(0.5)
            held.close()
            until(lambda: bool(ear.heard))
            telling.__exit__(None, None, None)
    finally:
        threading.excepthook = before
        ear.server.shutdown()
        ear.server.server_close()
    assert broken == []
    assert ear.numbers()[:1] == [1]


def test_the_reaper_goes_on_with_the_others(tmp_path: Path) -> None:
    settings = Settings(str(tmp_path), "memory://")
    (tmp_path / "shop.yaml").write_text("heat_template_version: 2018-08-31\nresources:\n  a: {type: 'OS::Heat::None'}\n")
    with Session(settings) as session:
        for name in ("a", "b", "c"):
            stacks.carry_out(session, stacks.preview(session, Request(name, tmp_path / "shop.yaml")))
            row = session.store.stack(name)
            assert row is not None
            life = Life("shop", name, isolation="shared", seen=True)
            session.store.change_tags(row.id, lambda tags, life=life: {**tags, TAG: life.to_tags()})  # type: ignore[misc]
        with contextlib.closing(sqlite3.connect(tmp_path / "stackengine.db")) as connection:
            connection.execute("CREATE TRIGGER bad BEFORE UPDATE ON stack WHEN old.name = 'b' BEGIN SELECT RAISE(ABORT, 'bad page'); END")
            connection.commit()
        found = {r.name: r.problem for r in reap.reap(session, ask=lambda _: frozenset())}
        assert (found["a"], found["c"]) == ("", "")
        assert "bad page" in found["b"]
        assert {e.row.name for e in up.ls(session) if e.life.missing_since is not None} == {"a", "c"}


def test_a_saved_plan_that_the_store_did_not_take_is_saved_as_before(house: House) -> None:
    house.up(NONE)
    preview = house.plan(NONE + "other: {type: OS::Heat::None}\n")
    saved = saving.save(house.session, preview)
    with contextlib.closing(sqlite3.connect(house.folder / "stackengine.db")) as connection:
        connection.execute("ALTER TABLE operation RENAME TO away")
        connection.commit()
    with pytest.raises(StoreError, match="no such table"):
        changes.execute(house.session, saved, preview)
    found = house.session.store.change_sets.find(saved.id)
    assert found is not None
    assert found.status == "saved"
