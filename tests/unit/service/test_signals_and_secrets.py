"""On a memory host, as the command line does it: gates of new generations wait for their own guests; secrets stay secret on their way through attributes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import stacks
from stackengine.service.types import OperationResult, Request, Settings

GATED = """
heat_template_version: 2018-08-31
parameters:
  says: {type: string, default: SUCCESS}
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  web:
    type: SE::Server
    properties:
      image: tiny
      user_data:
        str_replace: {template: "#!/bin/sh\\ncurl URL SAYS\\n", params: {URL: {get_attr: [handle, endpoint]}, SAYS: {get_param: says}}}
      ready: {gate: signal, handle: {get_resource: handle}, timeout: 20}
"""
SECRET = """
heat_template_version: 2018-08-31
parameters:
  word: {type: string, hidden: true}
resources:
  kept: {type: OS::Heat::Value, properties: {value: {get_param: word}}}
  joined: {type: OS::Heat::Value, properties: {value: {list_join: ["-", [before, {get_param: word}]]}}}
  user: {type: OS::Heat::Value, properties: {value: {get_attr: [joined, value]}}}
outputs:
  told: {value: {get_attr: [user, value]}}
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as found:
        yield found


def up(session: Any, tmp_path: Path, template: str, **parameters: Any) -> OperationResult:
    file = tmp_path / "stack.yaml"
    file.write_text(template)
    options = {k: parameters.pop(k) for k in ("on_failure",) if k in parameters}
    return stacks.carry_out(session, stacks.preview(session, Request("s", file, parameters)), **options)


def servers(session: Any) -> dict[str, str]:
    return {r.physical_id: r.status for r in stacks.show(session, "s").resources if r.path == "web"}


def test_a_new_generation_waits_for_its_own_guest(session: Any, tmp_path: Path) -> None:
    assert up(session, tmp_path, GATED).status == "complete"
    before = servers(session)
    failed = up(session, tmp_path, GATED, says="FAILURE")
    assert failed.status == "rolled_back"
    assert "FAILURE" in failed.failures[0].message
    assert servers(session) == before


def test_a_failure_counts_once(session: Any, tmp_path: Path) -> None:
    assert up(session, tmp_path, GATED, says="FAILURE", on_failure="keep").status == "failed"
    assert up(session, tmp_path, GATED).status == "complete"
    assert list(servers(session).values()) == ["ready"]


def test_a_secret_that_comes_back_as_an_attribute_is_sealed(session: Any, tmp_path: Path) -> None:
    assert up(session, tmp_path, SECRET, word="hushhushhush").status == "complete"
    told = json.dumps([e.payload for e in stacks.events(session, "s")])
    assert "hushhush" not in told
    for resource in stacks.show(session, "s").resources:
        assert "hushhush" not in repr(resource)
    assert stacks.outputs(session, "s")["told"].sensitive
    assert stacks.outputs(session, "s", show_secrets=True)["told"].value == "before-hushhushhush"


def test_a_hidden_parameter_that_is_immutable_keeps_its_value(session: Any, tmp_path: Path) -> None:
    template = SECRET.replace("hidden: true", "hidden: true, immutable: true")
    assert up(session, tmp_path, template, word="swordfish").status == "complete"
    assert up(session, tmp_path, template, word="swordfish").status == "complete"
    with pytest.raises(InvalidTemplateError) as refused:
        up(session, tmp_path, template, word="marlin")
    assert [(d.code, d.hint) for d in refused.value.diagnostics.errors] == [("P106", "give it the value that it had")]
