"""Tables that nothing was ever written to go: layers, hosts and what is on them are asked of the hosts."""

from alembic import op

from stackengine.store.migrations.versions.v0001_first import metadata

revision = "0003"
down_revision = "0002"
GOING = ("hold", "host_object", "host", "layer")


def upgrade() -> None:
    """Drop them."""
    for table in GOING:
        op.drop_table(table)


def downgrade() -> None:
    """Make them again, empty as they were."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in GOING])
