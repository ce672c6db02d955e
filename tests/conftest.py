from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): text must be what tests/golden/NAME holds."""

    def check(name: str, text: str) -> None:
        check_file(GOLDEN / name, text, update=request.config.getoption("--update-golden"))

    return check


def check_file(path: Path, text: str, *, update: bool) -> None:
    """Compare with a file, or write it."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    if not path.exists():
        pytest.fail(f"{path.name} is not there: run pytest --update-golden and look at it")
    kept = path.read_text(encoding="utf-8")
    if kept != text:
        diff = "\n".join(difflib.unified_diff(kept.splitlines(), text.splitlines(), "golden", "now", lineterm=""))
        pytest.fail(f"{path.name} differs (pytest --update-golden writes it anew):\n{diff}", pytrace=False)
