"""The page that says what of HOT is supported is what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import registry

sys.path.insert(0, str(Path(__file__).parents[3]))

from tools import hot_reference


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    check_file(hot_reference.PAGE, hot_reference.page(), update=request.config.getoption("--update-golden"))


def test_it_names_every_type_of_heat() -> None:
    text = hot_reference.page()
    assert not [n for n in registry.heat_types() if f"`{n}`" not in text]
