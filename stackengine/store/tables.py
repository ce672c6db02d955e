"""All tables. Times are seconds since the epoch (UTC); JSON columns hold what ``model.codec`` makes."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 3

metadata = sa.MetaData()
_NAME, _LONG = sa.String(255), sa.String(700)
_MYSQL = ("mysql", "mariadb")
# variants by names that every dialect knows: importing that of MySQL would be work for every command
_KEY = sa.String(64).with_variant(sa.String(64, collation="ascii_bin"), *_MYSQL)
"""Ids and words of ours: in MySQL a key of several columns has 3072 bytes, of which every other character takes four."""
_TIME = sa.Float().with_variant(sa.Double(), *_MYSQL)  # FLOAT has 24 bits there, which are two minutes
_BYTES = sa.LargeBinary().with_variant(sa.LargeBinary(2**32 - 1), *_MYSQL)  # of that length: LONGBLOB

store_meta = sa.Table("store_meta", metadata, sa.Column("key", _KEY, primary_key=True), sa.Column("value", sa.Text, nullable=False))

stack = sa.Table(
    "stack",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("live_name", _NAME, unique=True),  # the name while the stack is alive, NULL afterwards
    sa.Column("seed", _BYTES, nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("state", _KEY, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("language", _KEY, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("policy", sa.JSON),  # a stack policy, or NULL
    sa.Column("parent", _KEY),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("updated_at", _TIME, nullable=False),
)

revision = sa.Table(
    "revision",
    metadata,
    sa.Column("stack", _KEY, sa.ForeignKey("stack.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("sources", sa.JSON, nullable=False),  # every byte that evaluation read: [[name, text], …]
    sa.Column("template", _LONG, nullable=False),
    sa.Column("language", _KEY, nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("desired", sa.JSON, nullable=False),
    sa.Column("digests", sa.JSON, nullable=False),  # image digests, macro results, schema versions
    sa.Column("status", _KEY, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("stack", _KEY, sa.ForeignKey("stack.id"), nullable=False, index=True),
    sa.Column("active_stack", _KEY, unique=True),  # the stack while queued or running, else NULL: one operation per stack
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("from_revision", sa.Integer, nullable=False),
    sa.Column("to_revision", sa.Integer, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("status", _KEY, nullable=False),
    sa.Column("owner", _NAME, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("lease_until", _TIME, nullable=False),
    sa.Column("cancel", _KEY),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("queue", _NAME, nullable=False),
    sa.Column("started_at", _TIME, nullable=False),
    sa.Column("finished_at", _TIME),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("operation", _KEY, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("path", _LONG, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("verb", _KEY, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
)

instance = sa.Table(
    "instance",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("id", _LONG, primary_key=True),
    sa.Column("path", _LONG, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("type", _NAME, nullable=False),
    sa.Column("status", _KEY, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)

generation = sa.Table(
    "generation",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("path", _LONG, primary_key=True),
    sa.Column("highest", sa.Integer, nullable=False),
)

piece = sa.Table(
    "piece",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", _LONG, primary_key=True),
    sa.Column("piece", _KEY, primary_key=True),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("physical_id", _LONG, nullable=False),
    sa.Column("status", _KEY, nullable=False),
)

claim = sa.Table(
    "claim",
    metadata,
    sa.Column("host", sa.String(200), primary_key=True),
    sa.Column("kind", _KEY, primary_key=True),
    sa.Column("value", sa.String(200), primary_key=True),
    sa.Column("stack", _KEY, nullable=False, index=True),
    sa.Column("instance", _LONG, nullable=False),
)

secret = sa.Table(
    "secret",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("ciphertext", _BYTES, nullable=False),
)

signal = sa.Table(
    "signal",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("handle", sa.String(400), primary_key=True),
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
)

observation = sa.Table(
    "observation",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", _LONG, primary_key=True),
    sa.Column("properties", sa.JSON, nullable=False),
)

change_set = sa.Table(
    "change_set",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("stack", _KEY, nullable=False, index=True),
    sa.Column("stack_name", _NAME, nullable=False),
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("ground", _KEY, nullable=False),  # what it stands on: it is executed only when this is so still
    sa.Column("fresh", sa.JSON),  # the row of a stack that is not recorded yet
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("revision", sa.JSON),  # the revision that it records, as in the table revision
    sa.Column("to_revision", sa.Integer, nullable=False),
    sa.Column("shown", sa.JSON, nullable=False),  # the plan as it was shown
    sa.Column("status", _KEY, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)

webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("stack", _KEY, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("cursor", sa.Integer, nullable=False),  # the last event that was delivered
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)


def create(connection: sa.Connection) -> None:
    """Make all tables in a new database."""
    name = connection.dialect.name
    for table in metadata.tables.values() if name in _MYSQL else ():  # names are told apart by every letter, as elsewhere
        table.kwargs.update({f"{name}_engine": "InnoDB", f"{name}_charset": "utf8mb4", f"{name}_collate": "utf8mb4_bin"})
    metadata.create_all(connection)
