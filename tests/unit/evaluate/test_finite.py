from __future__ import annotations

import pytest

from stackengine.evaluate.finite import from_json, number


@pytest.mark.parametrize(("raw", "found"), [("3", 3), (3, 3), ("3.5", 3.5), ("1e3", 1000.0), (-2.5, -2.5)])
def test_numbers(raw: object, found: float) -> None:
    assert number(raw) == found
    assert type(number(raw)) is type(found)


@pytest.mark.parametrize("raw", ["1e400", "-1e400", "inf", "nan", float("inf"), float("nan")])
def test_what_json_cannot_say_is_no_number(raw: object) -> None:
    with pytest.raises(ValueError, match="is not a finite number"):
        number(raw)


@pytest.mark.parametrize("text", ["[1, NaN]", '{"a": -Infinity}', "[1e999]"])
def test_nor_is_it_json(text: str) -> None:
    with pytest.raises(ValueError, match="not valid JSON"):
        from_json(text)


def test_numbers_of_json_stay_what_they_are() -> None:
    assert repr(from_json("[1, 1.0, 1e2, 0.1]")) == "[1, 1.0, 100.0, 0.1]"
