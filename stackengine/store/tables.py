"""All tables. Times are seconds since the epoch (UTC); JSON columns hold what ``model.codec`` makes."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 2

metadata = sa.MetaData()
_KEY, _NAME, _LONG = sa.String(64), sa.String(255), sa.String(700)

store_meta = sa.Table("store_meta", metadata, sa.Column("key", _KEY, primary_key=True), sa.Column("value", sa.Text, nullable=False))

stack = sa.Table(
    "stack",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("live_name", _NAME, unique=True),  # the name while the stack is alive, NULL afterwards
    sa.Column("seed", sa.LargeBinary, nullable=False),
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
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
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
    sa.Column("created_at", sa.Float, nullable=False),
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
    sa.Column("lease_until", sa.Float, nullable=False),
    sa.Column("cancel", _KEY),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("queue", _NAME, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("operation", _KEY, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
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

layer = sa.Table(
    "layer",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("pool", _NAME, nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("parent", _KEY),
    sa.Column("owner", _LONG),
    sa.Column("stack", _KEY),
    sa.Column("status", _KEY, nullable=False),
)

host = sa.Table(
    "host",
    metadata,
    sa.Column("uri", _NAME, primary_key=True),
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

host_object = sa.Table(
    "host_object",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("status", _KEY, nullable=False),
    sa.UniqueConstraint("host", "kind", "name"),
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("object", _KEY, sa.ForeignKey("host_object.id"), primary_key=True),
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", sa.String(400), primary_key=True),
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
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
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
    sa.Column("created_at", sa.Float, nullable=False),
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
    sa.Column("created_at", sa.Float, nullable=False),
)
