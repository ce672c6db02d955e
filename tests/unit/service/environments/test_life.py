"""What the reaper makes of an environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackengine.service.environments.life import GRACE, HALF_MADE, TAG, Life, judge, life_of

NOW = 1_000_000.0
ALIVE = Life("git.example/a", "x", "abc", expires_at=NOW + 3600)
SEEN = replace(ALIVE, seen=True)
HERE = frozenset({"main", "x"})


def verdict(life: Life, branches: frozenset[str] | None = HERE, state: str = "complete", ever_up: bool = True, touched_at: float = NOW) -> tuple[str, str]:
    found = judge(life, state=state, ever_up=ever_up, touched_at=touched_at, now=NOW, branches=branches)
    return found.action, found.reason


@pytest.mark.parametrize(
    ("life", "more", "action", "why"),
    [
        (ALIVE, {}, "keep", "expires in"),
        (replace(ALIVE, expires_at=NOW - 7200), {}, "reap", "expired"),
        (replace(ALIVE, expires_at=None), {}, "keep", "never"),
        (replace(ALIVE, expires_at=NOW - 7200, pinned=True), {}, "keep", "pinned"),
        (replace(ALIVE, expires_at=NOW - 7200), {"state": "running"}, "keep", "works on it"),
        (replace(ALIVE, run_until=NOW - 1), {}, "reap", "process of its run"),
        (replace(ALIVE, run_until=NOW + 1), {}, "keep", "expires in"),
        (ALIVE, {"ever_up": False, "touched_at": NOW - HALF_MADE - 1, "state": "interrupted"}, "reap", "never up"),
        (ALIVE, {"ever_up": False}, "keep", "expires in"),
        (SEEN, {"branches": frozenset({"main"})}, "watch", "a second look"),
        (replace(SEEN, missing_since=NOW - 60), {"branches": frozenset({"main"})}, "watch", "is gone since"),
        (replace(SEEN, missing_since=NOW - GRACE), {"branches": frozenset({"main"})}, "reap", "is gone since"),
        (replace(SEEN, missing_since=NOW - GRACE), {"branches": None}, "keep", "expires in"),
        (replace(ALIVE, missing_since=NOW - GRACE), {"branches": frozenset({"main"})}, "keep", "expires in"),
        (replace(SEEN, for_run=True, run_until=NOW + 1, missing_since=NOW - GRACE), {"branches": frozenset({"main"})}, "keep", "expires in"),
        (replace(SEEN, for_run=True, missing_since=NOW - GRACE), {"branches": frozenset({"main"})}, "keep", "expires in"),
        (replace(ALIVE, remote="git.example/a"), {"branches": None}, "keep", "cannot be asked"),
    ],
)
def test_the_verdict_is_what_people_expect(life: Life, more: dict[str, Any], action: str, why: str) -> None:
    found = verdict(life, **more)
    assert found[0] == action
    assert why in found[1]


TIMES = st.none() | st.floats(NOW - 1e5, NOW + 1e5)
LIVES = st.builds(
    Life, st.just("r"), st.sampled_from(["x", "gone"]), expires_at=TIMES, run_until=TIMES, missing_since=TIMES, pinned=st.booleans(), seen=st.booleans(),
    for_run=st.booleans(),
)  # fmt: skip


@given(LIVES, st.sampled_from(["complete", "running", "interrupted", "failed"]), st.booleans(), st.floats(NOW - 1e5, NOW), st.booleans())
def test_what_is_pinned_or_worked_on_stays_and_a_silent_remote_condemns_nobody(life: Life, state: str, ever_up: bool, touched: float, reached: bool) -> None:
    found = verdict(life, frozenset({"x"}) if reached else None, state, ever_up, touched)
    if life.pinned or state == "running":
        assert found[0] == "keep"
    if not reached:
        assert "branch" not in found[1]
    if found[0] == "reap":
        assert (life.expires_at or NOW) < NOW or (life.run_until or NOW) < NOW or not ever_up or (reached and life.missing_since is not None and life.seen)
        assert not life.for_run or "branch" not in found[1]


@given(LIVES)
def test_tags_keep_the_life_and_a_newer_versions_keys_do_no_harm(life: Life) -> None:
    assert life_of({TAG: {**life.to_tags(), "of_tomorrow": 1}, "other": 2}) == life
    assert life_of({}) is None
