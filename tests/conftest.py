from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from golden_files import check_file

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): text must be what tests/golden/NAME holds."""

    def check(name: str, text: str) -> None:
        check_file(GOLDEN / name, text, update=request.config.getoption("--update-golden"))

    return check
