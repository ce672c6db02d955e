"""How many actions a host gets at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine import service
from stackengine.service import stacks
from stackengine.service.runner import ThreadRunner
from stackengine.service.types import Request, Settings

TEMPLATE = """
heat_template_version: 2018-08-31
resources:
  net: {type: SE::Network, properties: {mode: nat, cidr: auto}}
""" + "".join(f"  web{n}: {{type: SE::Server, properties: {{image: tiny, memory: 64, networks: [{{network: {{get_resource: net}}}}]}}}}\n" for n in range(3))


def test_guests_start_a_few_at_a_time_and_go_away_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    can_run = ThreadRunner.can_run
    monkeypatch.setattr(ThreadRunner, "can_run", lambda self, host, kind: asked.append(kind) or can_run(self, host, kind))
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    with service.open(Settings(str(tmp_path / "state"), "memory://room")) as session:
        assert stacks.carry_out(session, stacks.preview(session, Request("s", tmp_path / "stack.yaml"))).status == "complete"
        assert set(asked) == {"call", "image-copy", "guest-start"}
        asked.clear()
        assert stacks.carry_out(session, stacks.preview_down(session, "s")).status == "complete"
    assert set(asked) == {"call"}
