"""Schema changes, by Alembic. A fresh database is made from the tables directly and stamped."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest version."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
