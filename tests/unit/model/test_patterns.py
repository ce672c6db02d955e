"""Patterns that templates bring cannot hang the engine."""

from __future__ import annotations

import time

import pytest

from stackengine.evaluate.functions.yaql_expressions import yaql
from stackengine.model import patterns

SLOW = r"(a|aa)+$"
TEXT = "a" * 60 + "b"


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [("^[a-z*+]*$", True), (r"\+\*a{2}", True), ("(?:a)b+", True), ("[]*]a*", True), ("a*b*", False), ("(ab)+", False), (SLOW, False)],
)
def test_only_what_repeats_at_most_one_thing_is_plain(pattern: str, plain: bool) -> None:
    assert patterns.is_plain(pattern) is plain


def test_a_pattern_that_tries_for_ever_is_stopped() -> None:
    began = time.process_time()
    with pytest.raises(patterns.TooSlowError, match="takes longer than"):
        patterns.found(SLOW, TEXT)
    assert time.process_time() - began < 5


def test_patterns_mean_what_they_say() -> None:
    assert patterns.found("a+b+", "aabb!") is not None
    assert patterns.found("a+b+", "aabb!", "fullmatch") is None
    assert patterns.found("b+c*", "aabb", "search") is not None
    with pytest.raises(ValueError, match="missing"):
        patterns.found("(a*b*", "a")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        (f"$.data.matches('{SLOW}')", "takes longer than"),
        (f"regex('{SLOW}').replace($.data, 'x')", "takes longer than"),
        ("pow(2, 10000000)", "too large"),
        ("shiftBitsLeft(1, 100000000)", "too large"),
        ("let(x => '" + "a" * 3000 + "') -> $x.replace('a', $x).replace('a', $x)", "too large"),
        ("range(190).select(range(190).select(range(190).select(range(190).select($))))", "takes longer|too large|[Cc]ollection|limit"),
    ],
)
def test_yaql_keeps_within_bounds(expression: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackengine.evaluate.functions.yaql_limits.SECONDS", 0.3)
    monkeypatch.setattr("stackengine.model.patterns.LIMIT", 0.1)
    with pytest.raises(ValueError, match=fault):
        yaql(expression, TEXT)


def test_yaql_has_its_expressions_still() -> None:
    data = {"s": "hello world", "l": ["a1", "b2", "c"]}
    assert yaql("regex('l+').replace($.data.s, 'L')", data) == "heLo worLd"
    assert yaql("$.data.l.where($ =~ '[a-z][0-9]')", data) == ["a1", "b2"]
    assert yaql("regex('O', ignoreCase => true).searchAll($.data.s)", data) == ["o", "o"]
    assert yaql("regex(' ').split($.data.s)", data) == ["hello", "world"]
    assert yaql("regex('w(o)r').search($.data.s, $2.value)", data) == "o"
