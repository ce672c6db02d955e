"""Every way to today's schema ends in the same one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from stackengine.store.migrations import upgrade
from stackengine.store.store import Store
from stackengine.store.tables import metadata
from unit.store.older import bring_back


def schema(engine: sa.Engine) -> dict[str, Any]:
    found = sa.inspect(engine)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in sorted(found.get_columns(name), key=lambda c: str(c["name"]))],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((i["name"] or "", tuple(i["column_names"]), bool(i["unique"])) for i in found.get_indexes(name)),
            sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(name)),
            sorted((tuple(f["constrained_columns"]), f["referred_table"]) for f in found.get_foreign_keys(name)),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_a_store_of_an_older_version_keeps_all_that_it_had(tmp_path: Path) -> None:
    """Schema 2 had four tables that nothing was ever written to."""
    file = tmp_path / "s.db"
    store = Store(f"sqlite:///{file}", tmp_path)
    store.record(store.fresh("shop", "lab://", "hot"))
    before = store.stack("shop")
    store.close()
    bring_back(file, 2)
    with closing(sqlite3.connect(file)) as old:
        assert {"layer", "host", "host_object", "hold"} <= {name for (name,) in old.execute("SELECT name FROM sqlite_master")}
    again = Store(f"sqlite:///{file}", tmp_path)
    assert again.stack("shop") == before
    with again.database.reading() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    again.close()
    assert len(list(tmp_path.glob("s.schema-2.*.backup"))) == 1


def test_all_migrations_one_after_the_other_give_todays_tables(tmp_path: Path) -> None:
    migrated, fresh = (sa.create_engine(f"sqlite:///{tmp_path / name}") for name in ("migrated.db", "fresh.db"))
    with migrated.begin() as connection:
        upgrade(connection)
    metadata.create_all(fresh)
    assert schema(migrated) == schema(fresh)
