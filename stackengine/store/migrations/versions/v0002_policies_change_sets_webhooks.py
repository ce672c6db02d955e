"""Stack policies, change sets, webhooks."""

import sqlalchemy as sa
from alembic import op

from stackengine.store.tables import change_set, webhook

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a column and two tables."""
    op.add_column("stack", sa.Column("policy", sa.JSON))
    for table in (change_set, webhook):
        table.create(op.get_bind())


def downgrade() -> None:
    """Take them away again."""
    for table in (webhook, change_set):
        table.drop(op.get_bind())
    op.drop_column("stack", "policy")
