"""The feature table of CloudFormation says what the reader does."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.testing.cloudformation import page, unlisted

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cloudformation.md"


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    check_file(PAGE, page(registry.load(entry_points=False)), update=request.config.getoption("--update-golden"))


def test_the_page_lists_everything_that_is_read() -> None:
    assert unlisted() == []
