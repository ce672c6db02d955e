"""Change sets: saved plans, each with the ground that it stands on."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from stackengine.store.database import Database
from stackengine.store.log import upsert
from stackengine.store.tables import change_set, secret


@dataclass(frozen=True, slots=True)
class ChangeSetRow:
    """A change set as recorded; ``status`` is saved, executed, discarded or stale."""

    name: str
    stack: str
    stack_name: str
    kind: str
    ground: str
    to_revision: int
    shown: dict[str, Any]
    request: dict[str, Any]
    fresh: dict[str, Any] | None = None
    """The row of a stack that is not recorded yet."""
    revision: dict[str, Any] | None = None
    """The revision that it records; None when it aims at one that is there."""
    id: str = ""
    status: str = "saved"
    reason: str = ""
    created_at: float = 0.0


class ChangeSets:
    """All change sets of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ChangeSetRow, secrets: Sequence[dict[str, object]]) -> str:
        """Save one, with the secrets that it seals; its id."""
        id_ = uuid.uuid4().hex[:12]
        values = {n: getattr(row, n) for n in ChangeSetRow.__slots__} | {"id": id_, "created_at": time.time()}
        with self._database.writing() as connection:
            connection.execute(change_set.insert(), values)
            upsert(connection, secret, list(secrets), ("stack", "id", "version"))
        return id_

    def find(self, word: str) -> ChangeSetRow | None:
        """By id, by the beginning of one, or by name (then the newest)."""
        for row in self.all():
            if row.id.startswith(word) or row.name == word:
                return row
        return None

    def all(self, stack_name: str = "") -> list[ChangeSetRow]:
        """The newest first."""
        query = sa.select(change_set).order_by(change_set.c.created_at.desc())
        with self._database.reading() as connection:
            rows = connection.execute(query.where(change_set.c.stack_name == stack_name) if stack_name else query).all()
        return [ChangeSetRow(**{n: getattr(r, n) for n in ChangeSetRow.__slots__}) for r in rows]

    def end(self, id_: str, status: str, reason: str = "") -> bool:
        """Take a saved one out of use; False when somebody else has done so."""
        with self._database.writing() as connection:
            done = connection.execute(change_set.update().where(change_set.c.id == id_, change_set.c.status == "saved").values(status=status, reason=reason))
            return done.rowcount == 1

    def put_back(self, id_: str) -> None:
        """Make one usable again that was to be carried out, and was not begun."""
        with self._database.writing() as connection:
            connection.execute(change_set.update().where(change_set.c.id == id_, change_set.c.status == "executed").values(status="saved", reason=""))
