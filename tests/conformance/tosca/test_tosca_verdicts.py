"""Whole documents, valid or invalid in one respect (``verdicts.txt``): what is wrong is told, what is right is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from verdicts import Verdicts

VERDICTS = Verdicts(Path(__file__).parent / "verdicts.txt")


def test_verdicts(record_property: Callable[[str, object], None]) -> None:
    """One test for all of them, which says every case that came out otherwise."""
    record_property("cases", len(VERDICTS.cases))
    assert not (wrong := VERDICTS.otherwise()), "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("op missing in node interface 1.3", "S272 5:98"),
        ("index beyond list 2.0", "S243 8:47"),
        ("key of complex type that has none", "S243 10:47"),
        ("output mapping unknown attribute", "S273 15:99"),
        ("workflow outputs unknown attribute", "S273 14:90"),
    ],
)
def test_place(name: str, place: str) -> None:
    assert VERDICTS.faults(name)[0].startswith(place)
