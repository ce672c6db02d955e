from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackengine.hosts import private


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder of one module's tests; the private hosts in it go with everything on them."""
    folder = tmp_path_factory.mktemp("state")
    yield folder
    for name in private.names(folder):
        private.remove(name, folder)
    private.ready.end(folder)
