"""The databases that a store may be on: SQLite always, real servers where ``slow`` is asked for (or the file is named) and they are here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import database_servers

SERVERS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("postgresql", "mariadb")]


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], database_servers.Server]]:
    """By kind, started when the first test asks for it."""
    running: dict[str, database_servers.Server] = {}
    with ExitStack() as held:

        def of(kind: str) -> database_servers.Server:
            if why := database_servers.lacking(kind):
                pytest.skip(why)
            if kind not in running:
                running[kind] = held.enter_context(database_servers.running(kind))
            return running[kind]

        yield of


@pytest.fixture(params=["sqlite", *SERVERS])
def any_database(request: pytest.FixtureRequest, servers: Callable[[str], database_servers.Server], tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    return f"sqlite:///{tmp_path / 's.db'}" if request.param == "sqlite" else servers(request.param).fresh()


@pytest.fixture(params=SERVERS)
def server_database(request: pytest.FixtureRequest, servers: Callable[[str], database_servers.Server]) -> tuple[database_servers.Server, str]:
    """A server of each kind, and the URL of an empty database in it."""
    found = servers(request.param)
    return found, found.fresh()
