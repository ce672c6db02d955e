"""Opens the database: pragmas, schema check, first creation, migration with a backup."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from stackengine.store.errors import StoreError, explain
from stackengine.store.servers import BUSY_SECONDS, server_engine, transaction
from stackengine.store.tables import SCHEMA_VERSION, create, store_meta


class Database:
    """An engine with short transactions, of which one writes at a time; on SQLite in WAL mode with synchronous=FULL."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.location = url.removeprefix("sqlite:///") if self.is_sqlite else sa.make_url(url).render_as_string(hide_password=True)
        self.file = Path(self.location) if self.is_sqlite else None
        self.engine = sqlite_engine(self.location) if self.is_sqlite else server_engine(url)
        self._check_schema()
        with self.reading() as connection:
            rows = {row.key: row.value for row in connection.execute(sa.select(store_meta.c.key, store_meta.c.value))}
        self.store_id = rows["store_id"]

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block ends; SQLite's starts with BEGIN IMMEDIATE and a jittered retry."""
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    self._begin_immediate(connection)
                    try:
                        yield connection
                    except BaseException:
                        with contextlib.suppress(SQLAlchemyError):  # a full disk or an I/O error has ended the transaction already
                            connection.exec_driver_sql("ROLLBACK")
                        raise
                    connection.exec_driver_sql("COMMIT")
                else:
                    with transaction(connection):
                        yield connection
        except SQLAlchemyError as error:
            raise explain(error, self.location) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for queries."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise explain(error, self.location) from error

    def _begin_immediate(self, connection: sa.Connection) -> None:
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except SQLAlchemyError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(random.uniform(0.005, 0.05))
            else:
                return

    def _check_schema(self) -> None:
        version = self._version()
        if version == SCHEMA_VERSION:
            return
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the database {self.location} was written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})", "update stackengine"
            )
        if version == 0:
            self._create()
            return
        self._migrate()

    def _version(self) -> int:
        with self.reading() as connection:
            return self._written(connection)

    @staticmethod
    def _written(connection: sa.Connection) -> int:
        """The version that stands in the database; 0 where there is none, or only its tables: MySQL makes each by itself."""
        if not sa.inspect(connection).has_table("store_meta"):
            return 0
        found = connection.execute(sa.select(store_meta.c.value).where(store_meta.c.key == "schema")).scalar()
        return int(found or 0)

    def _create(self) -> None:
        with self.writing() as connection:
            if self._written(connection):
                return  # another process was faster
            create(connection)
            rows = [{"key": "schema", "value": str(SCHEMA_VERSION)}, {"key": "store_id", "value": uuid.uuid4().hex}]
            connection.execute(store_meta.insert(), rows)
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": f"{SCHEMA_VERSION:04d}"})

    def _migrate(self) -> None:
        """Copy the database first, then change it in one transaction; another process may have been faster."""
        from stackengine.store.migrations import upgrade

        self.backup(f"schema-{self._version()}")
        with self.writing() as connection:
            if int(connection.execute(sa.select(store_meta.c.value).where(store_meta.c.key == "schema")).scalar() or 0) == SCHEMA_VERSION:
                return
            upgrade(connection)
            connection.execute(store_meta.update().where(store_meta.c.key == "schema").values(value=str(SCHEMA_VERSION)))

    def backup(self, why: str) -> Path | None:
        """A consistent copy beside the database (SQLite's online backup, so what is still in the write-ahead log is in it); None on other databases."""
        if self.file is None:
            return None
        copy = self.file.with_name(f"{self.file.stem}.{why}.{time.strftime('%Y%m%d-%H%M%S')}.backup")
        try:
            os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
            with contextlib.closing(sqlite3.connect(self.file)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
                source.backup(target)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the database {self.location} cannot be copied to {copy.name}: {error}", "make room; nothing was changed") from error
        return copy

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def sqlite_engine(path: str) -> sa.Engine:
    """An engine for a SQLite file; made with mode 0600, as it holds sealed secrets."""
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"the database {path} cannot be made: {error.strerror}", "name another place with --state") from error
    engine = sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
