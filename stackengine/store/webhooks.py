"""Webhooks: who is told of a stack's events, and up to which one."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from stackengine.store.database import Database
from stackengine.store.tables import webhook


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One webhook; ``cursor`` is the number of the last event that it has taken."""

    id: str
    stack: str
    url: str
    kinds: list[str]
    """Beginnings of event kinds (``operation.``, ``action.failed``); empty: all."""
    cursor: int
    failures: int
    last_error: str
    created_at: float


class Webhooks:
    """All webhooks of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, stack: str, url: str, kinds: list[str], cursor: int) -> WebhookRow:
        """Tell ``url`` of every event after number ``cursor``."""
        row = WebhookRow(uuid.uuid4().hex[:12], stack, url, kinds, cursor, 0, "", time.time())
        with self._database.writing() as connection:
            connection.execute(webhook.insert(), {n: getattr(row, n) for n in WebhookRow.__slots__})
        return row

    def of(self, stack: str) -> list[WebhookRow]:
        """Those of one stack."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(webhook).where(webhook.c.stack == stack).order_by(webhook.c.created_at)).all()
        return [WebhookRow(**{n: getattr(r, n) for n in WebhookRow.__slots__}) for r in rows]

    def remove(self, id_: str) -> bool:
        """Whether there was one."""
        with self._database.writing() as connection:
            return connection.execute(webhook.delete().where(webhook.c.id == id_)).rowcount == 1

    def taken(self, id_: str, before: int, cursor: int) -> None:
        """Events up to ``cursor`` were delivered; nothing when another process was faster."""
        where = (webhook.c.id == id_, webhook.c.cursor == before)
        with self._database.writing() as connection:
            connection.execute(webhook.update().where(*where).values(cursor=cursor, failures=0, last_error=""))

    def failed(self, id_: str, error: str) -> None:
        """A delivery failed; it will be tried again from the same event."""
        with self._database.writing() as connection:
            connection.execute(webhook.update().where(webhook.c.id == id_).values(failures=webhook.c.failures + 1, last_error=error[:500]))
