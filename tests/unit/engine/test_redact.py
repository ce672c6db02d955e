"""What was opened does not get into the log: not whole, not in lines, not in keys, not as an attribute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stackengine.engine.redact import Redactor


def knowing(*secrets: object) -> Redactor:
    found = Redactor()
    for secret in secrets:
        found.learn(secret)
    return found


@given(st.lists(st.text(min_size=4, max_size=12).filter(lambda t: len(t.strip()) >= 4 and "*" not in t), min_size=1, max_size=4), st.text(max_size=10))
def test_no_known_secret_stays_in_a_text(secrets: list[str], around: str) -> None:
    text = around + around.join(secrets) + around
    cleaned = knowing(*secrets).text(text)
    assert all(s not in cleaned for s in secrets)


def test_the_longest_goes_first_so_that_no_part_of_one_stays() -> None:
    assert knowing("pass", "password-1234").text("it is password-1234") == "it is ***"


def test_lines_and_parts_of_structures_are_known() -> None:
    redactor = knowing({"key": ["-----BEGIN-----\nabcdef\n-----END-----"]}, 12345)
    assert redactor.text("found abcdef and 12345") == "found *** and ***"
    assert redactor.value({"abcdef": [{"x": "12345 times"}, 7]}) == {"***": [{"x": "*** times"}, 7]}


def test_short_ones_are_not_looked_for_in_texts_but_are_known_as_values() -> None:
    redactor = knowing("ab", 7)
    assert redactor.text("about 7 crabs") == "about 7 crabs"
    assert redactor.holds("ab")
    assert redactor.holds(7)
    assert not redactor.holds("abc")
    assert not redactor.holds(True)


def test_a_text_with_a_secret_in_it_is_one() -> None:
    redactor = knowing("topsecret")
    assert redactor.holds("mysql://root:topsecret@db")
    assert not redactor.holds("mysql://root@db")
    assert not redactor.holds(None)
