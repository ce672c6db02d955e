"""The first schema, as it was: these tables stay what they are, whatever becomes of today's."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

metadata = sa.MetaData()
_KEY, _NAME, _LONG = sa.String(64), sa.String(255), sa.String(700)

sa.Table("store_meta", metadata, sa.Column("key", _KEY, primary_key=True), sa.Column("value", sa.Text, nullable=False))
sa.Table(
    "stack",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("live_name", _NAME, unique=True),
    sa.Column("seed", sa.LargeBinary, nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("state", _KEY, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("language", _KEY, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("parent", _KEY),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)
sa.Table(
    "revision",
    metadata,
    sa.Column("stack", _KEY, sa.ForeignKey("stack.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("template", _LONG, nullable=False),
    sa.Column("language", _KEY, nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("desired", sa.JSON, nullable=False),
    sa.Column("digests", sa.JSON, nullable=False),
    sa.Column("status", _KEY, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)
sa.Table(
    "operation",
    metadata,
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("stack", _KEY, sa.ForeignKey("stack.id"), nullable=False, index=True),
    sa.Column("active_stack", _KEY, unique=True),
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
sa.Table(
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
sa.Table(
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
sa.Table(
    "generation",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("path", _LONG, primary_key=True),
    sa.Column("highest", sa.Integer, nullable=False),
)
sa.Table(
    "piece",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", _LONG, primary_key=True),
    sa.Column("piece", _KEY, primary_key=True),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("physical_id", _LONG, nullable=False),
    sa.Column("status", _KEY, nullable=False),
)
sa.Table(
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
sa.Table(
    "host",
    metadata,
    sa.Column("uri", _NAME, primary_key=True),
    sa.Column("kind", _KEY, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)
sa.Table(
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
sa.Table(
    "hold",
    metadata,
    sa.Column("object", _KEY, sa.ForeignKey("host_object.id"), primary_key=True),
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", sa.String(400), primary_key=True),
)
sa.Table(
    "claim",
    metadata,
    sa.Column("host", sa.String(200), primary_key=True),
    sa.Column("kind", _KEY, primary_key=True),
    sa.Column("value", sa.String(200), primary_key=True),
    sa.Column("stack", _KEY, nullable=False, index=True),
    sa.Column("instance", _LONG, nullable=False),
)
sa.Table(
    "secret",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("id", _KEY, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
)
sa.Table(
    "signal",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("handle", sa.String(400), primary_key=True),
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
)
sa.Table(
    "observation",
    metadata,
    sa.Column("stack", _KEY, primary_key=True),
    sa.Column("instance", _LONG, primary_key=True),
    sa.Column("properties", sa.JSON, nullable=False),
)


def upgrade() -> None:
    """Make all tables."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Remove all tables."""
    metadata.drop_all(op.get_bind())
