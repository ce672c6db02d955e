from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import contract_skips
from golden_files import check_file

# in CI the same examples every time: a new counterexample is found by those who work on the code, not by somebody else's change
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

GOLDEN = Path(__file__).parent / "golden"


ASKED_FOR = ("thorough", "slow", "xen")
"""Markers of tests that run only where ``-m`` names them, or the command line names the test or its file."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any("::" in argument or argument.endswith(".py") for argument in config.args):
        return
    unasked = [marker for marker in ASKED_FOR if marker not in config.option.markexpr]
    left = [item for item in items if any(item.get_closest_marker(marker) for marker in unasked)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as there are processors for the whole of the quick or of the thorough part; real hosts are used one test after the other."""
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    return len(os.sched_getaffinity(0)) if whole and "not real" in config.option.markexpr else 0


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How the contract did on the hosts of this run."""
    for line in contract_skips.lines(*(terminalreporter.stats.get(key, ()) for key in ("passed", "failed", "skipped"))):
        terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): text must be what tests/golden/NAME holds."""

    def check(name: str, text: str) -> None:
        check_file(GOLDEN / name, text, update=request.config.getoption("--update-golden"))

    return check
