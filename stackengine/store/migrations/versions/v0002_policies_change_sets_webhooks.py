"""Stack policies, change sets, webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY, _NAME = sa.String(64), sa.String(255)


def upgrade() -> None:
    """Add a column and two tables."""
    op.add_column("stack", sa.Column("policy", sa.JSON))
    op.create_table(
        "change_set",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("stack", _KEY, nullable=False, index=True),
        sa.Column("stack_name", _NAME, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("ground", _KEY, nullable=False),
        sa.Column("fresh", sa.JSON),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("revision", sa.JSON),
        sa.Column("to_revision", sa.Integer, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("status", _KEY, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "webhook",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("stack", _KEY, nullable=False, index=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("cursor", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("webhook", "change_set"):
        op.drop_table(table)
    op.drop_column("stack", "policy")
