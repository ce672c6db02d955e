"""A store on PostgreSQL and MariaDB, real ones: what SQLite gives by itself (one writer, exact names, whole numbers) holds there, too."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from database_servers import Server
from stackengine.cli.main import main
from stackengine.model.instance import Claim
from stackengine.service import stacks
from stackengine.service.session import Session
from stackengine.service.types import Request, ServiceError, Settings
from stackengine.store import servers as database_servers
from stackengine.store import tables
from stackengine.store.errors import BusyError, ClaimConflictError, StoreError
from stackengine.store.store import Store
from unit.store.test_operations_store import recorded, submit

pytestmark = pytest.mark.slow
SECRET = """heat_template_version: 2018-08-31
parameters:
  word: {type: string, hidden: true, default: hush}
  other: {type: string, default: a}
resources:
  net: {type: SE::Network, properties: {cidr: 10.8.1.0/24}}
  web: {type: SE::Server, properties: {image: tiny, user_data: {get_param: word}}}
  thing: {type: SE::None, properties: {value: {get_param: other}}}
outputs:
  word: {value: {get_param: word}}
"""


@pytest.fixture
def url(server_database: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return server_database[1]


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What each gave, or the exception that it ended with."""
    together = threading.Barrier(count)

    def one(number: int) -> Any:
        together.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def up(url: str, folder: Path, *words: str, code: int = 0) -> None:
    (folder / "stack.yaml").write_text(SECRET)
    assert main(["up", str(folder / "stack.yaml"), "--name", "shop", "--host", "memory://", "--yes", "--state", url, *words]) == code


def test_a_stack_with_a_secret_lives_and_goes(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up(url, tmp_path)
    up(url, tmp_path, "--param", "other=b")  # its secret is sealed again, and is there already
    up(url, tmp_path, "--param", "word=" + "long" * 40_000, "--allow", "replace")
    back = ("rollback", "shop", "--to", "1", "--yes", "--allow", "replace")
    for words in (back, ("protect", "shop"), ("unprotect", "shop"), ("drift", "shop"), ("key", "rotate")):
        assert main([*words, "--state", url]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["outputs", "shop", "word", "--show-secrets", "--state", url]) == 0
    assert capsys.readouterr().out == "hush\n"
    assert main(["ls", "--json", "--state", url]) == 0
    assert [s["state"] for s in json.loads(capsys.readouterr().out)["stacks"]] == ["rolled_back"]
    assert main(["down", "shop", "--yes", "--state", url]) == 0
    with Session(Settings(url)) as session, session.store.database.reading() as connection:
        for table in ("secret", "claim", "instance", "piece", "observation"):
            assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() == 0, table


def test_many_make_the_same_store_at_once(url: str, tmp_path: Path) -> None:
    """Processes: each has an engine of its own, as on several machines."""
    code = "import sys; from pathlib import Path; from stackengine.store.store import Store; print(Store(sys.argv[1], Path(sys.argv[2])).id)"
    words = [sys.executable, "-c", code, url, str(tmp_path)]
    processes = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [p.communicate(timeout=120) for p in processes]
    assert len({out for out, _ in said}) == 1, said
    assert [p.returncode for p in processes] == [0] * 4


def test_what_is_read_and_then_changed_is_not_lost(url: str, tmp_path: Path) -> None:
    stores = [Store(url, tmp_path) for _ in range(4)]
    stack = recorded(stores[0])

    def count(number: int) -> None:
        for _ in range(10):
            stores[number].change_tags(stack.id, lambda tags: {**tags, "count": tags.get("count", 0) + 1})

    assert at_once(4, count) == [None] * 4
    assert stores[0].stack_of(stack.id).tags == {"count": 40}
    for store in stores:
        store.close()


@pytest.mark.parametrize("values", [["br0"] * 4, ["10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8", "10.1.2.128/25"]])
def test_a_claim_and_ranges_that_overlap_are_given_to_one(url: str, tmp_path: Path, values: list[str]) -> None:
    stores = [Store(url, tmp_path) for _ in values]
    rows = [recorded(stores[0], f"s{n}") for n in range(len(values))]

    def take(number: int) -> str:
        claim = Claim("lab://", "bridge" if values[number] == "br0" else "cidr", values[number])
        submit(stores[number], rows[number], claims=(claim,))
        return "mine"

    found = at_once(len(values), take)
    assert found.count("mine") == 1, found
    assert sum(isinstance(f, ClaimConflictError) for f in found) == len(values) - 1, found
    for store in stores:
        store.close()


def test_one_operation_begins_on_a_stack_and_one_stack_has_a_name(url: str, tmp_path: Path) -> None:
    stores = [Store(url, tmp_path) for _ in range(4)]
    stack = recorded(stores[0])
    found = at_once(4, lambda n: submit(stores[n], stack, number=n + 1)[0].id)
    assert sum(isinstance(f, str) for f in found) == 1, found
    assert sum(isinstance(f, BusyError | ClaimConflictError) for f in found) == 3, found
    made = at_once(4, lambda n: stores[n].record(stores[n].fresh("two", "lab://", "hot")))
    assert (made.count(None), sum(isinstance(f, BusyError) for f in made)) == (1, 3), made
    for store in stores:
        store.close()


def test_a_secret_may_be_longer_than_the_shortest_kind_of_blob(url: str, tmp_path: Path) -> None:
    store = Store(url, tmp_path)
    row = recorded(store, "shop")
    sealed = store.vault(row.id)
    reference = sealed.seal("x" * 100_000)
    with store.database.writing() as connection:
        connection.execute(tables.secret.insert(), sealed.take_new())
    assert store.vault(row.id).open(reference) == "x" * 100_000
    store.close()


def test_names_are_told_apart_by_every_letter_and_times_to_the_millisecond(url: str, tmp_path: Path) -> None:
    store = Store(url, tmp_path)
    for name in ("shop", "Shop", "shöp", "shop."):
        recorded(store, name)
    assert {s.name for s in store.stacks()} == {"shop", "Shop", "shöp", "shop."}
    found = store.stack("Shop")
    assert found is not None
    assert found.name == "Shop"
    assert abs(found.created_at - time.time()) < 60
    row, _ = submit(store, found)
    assert abs(row.lease_until - row.started_at - 30) < 60
    assert row.started_at % 1 != 0 or row.lease_until % 1 != 0
    store.close()


def test_who_waits_too_long_for_another_writer_is_told(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_servers, "BUSY_SECONDS", 1)
    holder, other = Store(url, tmp_path), Store(url, tmp_path)
    with holder.database.writing(), pytest.raises(BusyError, match="locked by another process"), other.database.writing():
        pass
    with other.database.writing():
        pass
    for store in (holder, other):
        store.close()


def test_a_server_that_went_away_is_told_and_used_again(server_database: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, url = server_database
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "stack.yaml").write_text(SECRET)
    with Session(Settings(url, "memory://")) as session:
        stacks.carry_out(session, stacks.preview(session, Request("shop", tmp_path / "stack.yaml")))
        server.stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached"):
                session.store.stacks()
            with Session(Settings(url)) as fresh, pytest.raises(ServiceError, match="cannot be reached"):
                fresh.store.stacks()
        finally:
            server.start()
        assert [s.name for s in session.store.stacks()] == ["shop"]
