"""The private host on which real guests are measured; gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stackengine import service
from stackengine.hosts import private
from stackengine.hosts.private.host import PrivateHost
from stackengine.service.session import Session
from stackengine.service.types import Settings

NAME = "bench"


@contextmanager
def bench_host() -> Iterator[tuple[Session, PrivateHost, Path]]:
    """A session on ``private://bench`` in a state folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="se-bench-"))
    try:
        host = private.ensure(NAME, folder)
        try:
            with service.open(Settings(str(folder), f"private://{NAME}")) as session:
                yield session, host, folder
        finally:
            private.remove(NAME, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
