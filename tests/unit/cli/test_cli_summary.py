"""The Markdown summary: nothing that a branch, a template or a failure is called becomes markup."""

from __future__ import annotations

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.cli.render import summary
from stackengine.model.desired import Desired
from stackengine.service.environments.life import Life
from stackengine.service.environments.up import Environment
from stackengine.store.store import StackRow

ROW = StackRow("id", "shop-x", b"", "memory://", 1, 0, "complete", "", "hot", 0.0, 0.0, True)


@settings(max_examples=60)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_text_stays_text(branch: str, reason: str, value: str) -> None:
    found = Environment(ROW, Life("r", branch, "c1", expires_at=time.time()), "complete", reason)
    lines = summary.markdown(found, {"o": value}, Desired(), []).split("\n")
    assert len(lines) == (9 if reason else 7)
    tags = re.findall(r"<[^>]*>", "\n".join(lines))
    assert all(t in ("<code>", "</code>") or t.startswith("<http") for t in tags)
    assert lines[-1].count("|") == 3
