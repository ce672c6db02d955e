"""The reference page is what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.testing.tosca import page


def test_the_reference_is_current(request: pytest.FixtureRequest) -> None:
    check_file(
        Path(__file__).parents[3] / "docs/reference/tosca.md", page(registry.load(entry_points=False)), update=request.config.getoption("--update-golden")
    )
