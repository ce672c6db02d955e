"""Tables that nothing was ever written to go: layers, hosts and what is on them are asked of the hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEY, _NAME, _LONG = sa.String(64), sa.String(255), sa.String(700)


def upgrade() -> None:
    """Drop them."""
    for table in ("hold", "host_object", "host", "layer"):
        op.drop_table(table)


def downgrade() -> None:
    """Make them again, empty as they were."""
    op.create_table(
        "layer",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("host", _NAME, nullable=False),
        sa.Column("pool", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("parent", _KEY),
        sa.Column("owner", _LONG),
        sa.Column("stack", _KEY),
        sa.Column("status", _KEY, nullable=False),
    )
    op.create_table(
        "host",
        sa.Column("uri", _NAME, primary_key=True),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_table(
        "host_object",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("host", _NAME, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("status", _KEY, nullable=False),
        sa.UniqueConstraint("host", "kind", "name"),
    )
    op.create_table(
        "hold",
        sa.Column("object", _KEY, sa.ForeignKey("host_object.id"), primary_key=True),
        sa.Column("stack", _KEY, primary_key=True),
        sa.Column("instance", sa.String(400), primary_key=True),
    )
