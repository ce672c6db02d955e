"""What a fork takes over from a cut: a revision as it is recorded, and the secrets that it refers to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stackengine.store import tables as t
from stackengine.store.database import Database


def revision_data(database: Database, stack_id: str, number: int) -> dict[str, Any]:
    """The row of a revision, as JSON."""
    query = sa.select(t.revision).where(t.revision.c.stack == stack_id, t.revision.c.number == number)
    with database.reading() as connection:
        return dict(connection.execute(query).one()._mapping)


def record_revision(database: Database, stack_id: str, data: dict[str, Any], secrets: list[dict[str, Any]]) -> None:
    """Record a revision of another stack as this one's first, with secrets that were sealed for this one."""
    with database.writing() as connection:
        connection.execute(t.revision.insert(), {**data, "stack": stack_id, "number": 1, "status": "complete"})
        if secrets:
            connection.execute(t.secret.insert(), secrets)


def keep_secrets(database: Database, stack_id: str, under: str) -> None:
    """Copy the secrets of a stack, so that they are there when it is gone."""
    with database.writing() as connection:
        rows = connection.execute(sa.select(t.secret).where(t.secret.c.stack == stack_id)).all()
        if rows:
            connection.execute(t.secret.insert(), [{**r._mapping, "stack": under} for r in rows])


def forget_secrets(database: Database, under: str) -> None:
    """Remove them."""
    with database.writing() as connection:
        connection.execute(t.secret.delete().where(t.secret.c.stack == under))
