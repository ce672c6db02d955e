"""How environments are shown: a branch may be called anything, and a list of them stays a list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.cli.render.environments import listing, reaped_line, whole
from stackengine.service.environments.life import Life, Verdict
from stackengine.service.environments.reap import Reaped
from stackengine.service.environments.up import Environment
from stackengine.store.store import StackRow

ROW = StackRow("id", "shop-x", b"", "memory://", 1, 0, "complete", "", "hot", 0.0, 0.0, True)


@settings(max_examples=30)
@given(st.one_of(st.text(max_size=300), st.text("\x1b[31m\n\r\x9b", min_size=1)))
def test_the_name_of_a_branch_is_text_on_one_line(branch: str) -> None:
    found = Environment(ROW, Life("r", branch, "c1"), "complete", "")
    line = reaped_line(Reaped("shop-x", branch, Verdict("watch", f"the branch {branch} is gone")))
    listed, shown = listing([found], 0.0), whole(found, {}, 0.0)
    assert [text.count("\n") for text in (listed, shown, line)] == [1, 2, 0]
    assert not {c for c in listed + shown + line if c != "\n" and (c < " " or "\x7f" <= c <= "\x9f")}
    assert max(map(len, listed.split("\n"))) < 140
