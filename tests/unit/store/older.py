"""Databases as an older version of the store left them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from stackengine.store import migrations


def bring_back(file: Path, version: int) -> None:
    """Undo the migrations of a SQLite database down to ``version``."""
    with sa.create_engine(f"sqlite:///{file}").begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.downgrade(config, f"{version:04d}")
        connection.execute(sa.text("UPDATE store_meta SET value = :version WHERE key = 'schema'"), {"version": str(version)})
