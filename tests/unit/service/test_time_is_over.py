"""An operation that takes longer than it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine import service
from stackengine.cli.render.failures import render
from stackengine.service import stacks
from stackengine.service.runner import ThreadRunner
from stackengine.service.types import Request, Settings

pytestmark = pytest.mark.thorough
TEMPLATE = "heat_template_version: 2018-08-31\nresources:\n  slow: {type: SE::Delay, properties: {min_wait: 3}}\n  none: {type: SE::None}\n"


@pytest.mark.parametrize("keep_going", [False, True])
def test_it_fails_in_words_of_its_own_and_waits_for_what_runs_without_turning_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_going: bool) -> None:
    waits: list[float | None] = []
    wait = ThreadRunner.wait
    monkeypatch.setattr(ThreadRunner, "wait", lambda self, timeout: waits.append(timeout) or wait(self, timeout))
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    with service.open(Settings(str(tmp_path / "state"), "memory://late")) as session:
        preview = stacks.preview(session, Request("s", tmp_path / "stack.yaml"))
        result = stacks.carry_out(session, preview, timeout=0.5, keep_going=keep_going)
    assert result.status == "rolled_back"
    assert len(waits) < 100, "it waits, and does not ask again and again"
    words = render(result.failures, preview.plan)
    assert "the operation took longer than 0.5 s" in words
    assert "--timeout" in words
    assert " of  failed" not in words


def test_what_failed_before_is_the_reason_and_nothing_turns_round_after_the_time_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    wait = ThreadRunner.wait
    monkeypatch.setattr(ThreadRunner, "wait", lambda self, timeout: waits.append(timeout) or wait(self, timeout))
    failing = "  bad: {type: SE::TestResource, properties: {fail: true}}\n"
    (tmp_path / "stack.yaml").write_text(TEMPLATE + failing)
    with service.open(Settings(str(tmp_path / "state"), "memory://late")) as session:
        preview = stacks.preview(session, Request("s", tmp_path / "stack.yaml"))
        result = stacks.carry_out(session, preview, timeout=0.5)
    assert [f.action.partition(":")[2] for f in result.failures] == ["bad@1"]
    assert len(waits) < 100
