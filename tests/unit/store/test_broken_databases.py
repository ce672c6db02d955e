"""A database that cannot be used says why, in words, and nothing is changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from stackengine.store import database as module
from stackengine.store.database import Database
from stackengine.store.errors import BusyError, StoreError
from stackengine.store.store import Store
from stackengine.store.tables import SCHEMA_VERSION

pytestmark = pytest.mark.thorough


def made(folder: Path) -> Path:
    Store(f"sqlite:///{folder / 's.db'}", folder).close()
    return folder / "s.db"


def opened(file: Path) -> Store:
    return Store(f"sqlite:///{file}", file.parent)


def cli(state: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stackengine.cli.main", "ls"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "STACKENGINE_STATE": str(state)}, timeout=60)


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = made(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(file) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_newer_one(tmp_path: Path) -> None:
    file = made(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("update store_meta set value = ? where key = 'schema'", (str(SCHEMA_VERSION + 1),))
    before = file.read_bytes()
    with pytest.raises(StoreError, match="newer version") as caught:
        opened(file)
    assert "update" in caught.value.hint
    assert file.read_bytes() == before
    told = cli(file)
    assert told.returncode == 1
    assert "newer version" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_damaged_one(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    file.write_bytes(b"this is no database, and never was one" * 50)
    with pytest.raises(StoreError, match="damaged"):
        opened(file)
    assert file.read_bytes().startswith(b"this is no database")
    told = cli(file)
    assert told.returncode == 1
    assert "damaged" in told.stderr


def test_a_locked_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made(tmp_path)
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)
    store = opened(file)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("begin immediate")
        with pytest.raises(BusyError, match="locked by another process"):
            store.record(store.fresh("one", "lab://", "hot"))
        other.execute("rollback")
    assert store.stacks() == []
    store.record(store.fresh("one", "lab://", "hot"))


def test_a_full_disk(tmp_path: Path) -> None:
    store = opened(made(tmp_path))
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
    engine = store.database.engine
    with engine.connect() as connection:
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    large = [store.fresh(f"{n}-{'x' * 200}", "lab://", "hot") for n in range(500)]
    with pytest.raises(StoreError, match="full") as caught:
        deque(map(store.record, large), maxlen=0)
    assert "nothing is lost" in caught.value.hint


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_one_for_a_plain_user(tmp_path: Path) -> None:
    file = made(tmp_path)
    file.chmod(0o400)
    store = opened(file)
    with pytest.raises(StoreError, match="read-only"):
        store.record(store.fresh("one", "lab://", "hot"))


def test_a_read_only_one(tmp_path: Path) -> None:
    store = opened(made(tmp_path))
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("pragma query_only = on")
    with pytest.raises(StoreError, match="read-only"):
        store.record(store.fresh("one", "lab://", "hot"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        Database(f"sqlite:///{tmp_path / 'file' / 'below' / 's.db'}")


def test_an_older_one_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("insert into store_meta values ('witness', 'old')")
    monkeypatch.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    copies: list[list[Path]] = []
    monkeypatch.setattr("stackengine.store.migrations.upgrade", lambda _engine: copies.append(list(tmp_path.glob("*backup*"))))
    opened(file)
    assert len(copies[0]) == 1, "the copy is there before the change begins"
    with sqlite3.connect(copies[0][0]) as connection:
        assert connection.execute("select value from store_meta where key = 'witness'").fetchone() == ("old",), "with everything that was committed"
