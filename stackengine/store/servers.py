"""PostgreSQL, MySQL and MariaDB: how they are reached, and how one writes at a time there, as SQLite has it of itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from stackengine.store.errors import BusyError, StoreError

BUSY_SECONDS = 30
"""How long one waits for who writes before."""
STILL_SECONDS = 60
"""How long a transaction may stand still until the server ends it: a process that is frozen holds up nobody for longer."""
DRIVERS = {"postgresql": ("postgresql+psycopg", "postgres"), "mysql": ("mysql+pymysql", "mysql"), "mariadb": ("mariadb+pymysql", "mysql")}
"""Scheme of a URL without a driver -> (the same with ours, the extra that installs it)."""
WRITERS = 0x7374656E
"""The advisory lock of PostgreSQL that writers take; locks are counted per database."""


def server_engine(url: str) -> sa.Engine:
    """An engine for a database server; StoreError when the URL or its driver cannot be used."""
    scheme, _, rest = url.partition("://")
    name, extra = DRIVERS.get(scheme.partition("+")[0], ("", ""))
    if not name:
        raise StoreError(f"{scheme}:// is no database that is known", "a folder, a file, or sqlite:///…, postgresql://…, mysql://…")
    try:
        engine = sa.create_engine(f"{name}://{rest}" if "+" not in scheme else url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(f"{scheme}:// needs the Python package {error.name}", f"pip install 'stackengine[{extra}]'") from error
    except SQLAlchemyError as error:
        raise StoreError(f"this database URL cannot be used: {error}", "postgresql://USER@HOST/NAME, for example") from error
    if engine.dialect.name == "postgresql":
        sa.event.listen(engine, "connect", _limits)
    return engine


def _limits(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{STILL_SECONDS}s'")
    cursor.close()
    connection.commit()


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[None]:
    """One writer at a time in a database: what a transaction has read is so still when it writes. BusyError after ``BUSY_SECONDS``."""
    if connection.dialect.name == "postgresql":
        with connection.begin():
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS})
            yield
        return
    name = f"stackengine.{connection.engine.url.database}"[:64]
    with connection.begin():
        taken = connection.execute(sa.text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": BUSY_SECONDS}).scalar()
    if taken != 1:
        raise BusyError(f"the database {connection.engine.url.database} is locked by another process", "try again when it is done")
    try:
        with connection.begin():
            yield
    finally:
        with contextlib.suppress(SQLAlchemyError), connection.begin():  # a connection that is gone has given it back
            connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": name})
