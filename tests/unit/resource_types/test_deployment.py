"""Deployments: what runs, and the shell program that runs it, tried in this machine's own shell."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stackengine import registry, sdk

TYPES = registry.load(entry_points=False)
TYPES.types["SE::Deployment"].handler  # noqa: B018  (makes its modules importable)
RUN = registry.builtin_folder() / "deployment" / "run.sh"


def _work() -> Any:
    from stackengine_types.deployment import work  # type: ignore[import-not-found]

    return work


@dataclass
class _Context:
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    identity: dict[str, Any] = field(default_factory=lambda: {"physical_id": "d-1"})
    path: str = "greet"
    stack: str = "demo"
    stack_id: str = "1"

    def referred(self, physical_id: str) -> sdk.Referred | None:
        found = self.configs.get(physical_id)
        return sdk.Referred("config", "SE::SoftwareConfig", physical_id, {}, found) if found is not None else None


def _want(**more: Any) -> dict[str, Any]:
    return {"actions": ["CREATE", "UPDATE"], "server": "s", **more}


def test_inputs_are_defaults_overlaid_by_what_is_given_and_not_text_is_json() -> None:
    config = {"group": "script", "config": "#!/bin/sh\n", "inputs": [{"name": "a", "default": 1}, {"name": "b", "default": "x"}, {"name": "c"}]}
    run = _work().run_of(_Context({"c1": config}), _want(config="c1", inputs={"b": {"k": [1]}}), "CREATE", "s")
    assert {n: run.environment[n] for n in "abc"} == {"a": "1", "b": '{"k": [1]}', "c": ""}
    assert run.environment["deploy_action"] == "CREATE"
    assert run.environment["deploy_server_id"] == "s"


def test_strict_inputs_must_be_given() -> None:
    config = {"group": "script", "config": "", "inputs": [{"name": "a"}]}
    with pytest.raises(sdk.FailedError, match="a"):
        _work().run_of(_Context({"c1": config}), _want(config="c1", input_values_validate="STRICT"), "CREATE", "s")


@pytest.mark.parametrize(("action", "text"), [("CREATE", "one"), ("DELETE", "two"), ("UPDATE", None)])
def test_a_component_chooses_by_action(action: str, text: str | None) -> None:
    parts = [{"actions": ["CREATE"], "tool": "script", "config": "one"}, {"actions": ["DELETE"], "tool": "script", "config": "two"}]
    run = _work().run_of(_Context({"c1": {"configs": parts}}), _want(config="c1"), action, "s")
    assert (run.script if run else None) == text


def test_an_action_that_it_does_not_have_runs_nothing() -> None:
    assert _work().run_of(_Context(), _want(script="x"), "DELETE", "s") is None


def test_ansible_gets_a_playbook_and_variables() -> None:
    config = {"group": "ansible", "config": "- hosts: all\n", "options": {"tags": "a,b"}, "inputs": [{"name": "n", "default": "v"}]}
    run = _work().run_of(_Context({"c1": config}), _want(config="c1"), "CREATE", "s")
    assert [f.path for f in run.files] == ["playbook.yaml", "variables.json"]
    assert "--tags=a,b" in run.script


def test_a_structured_config_is_filled_with_inputs() -> None:
    config = {"group": "json-file", "config": {"/etc/x.json": {"port": {"get_input": "port"}, "n": [{"get_input": "none"}]}}}
    run = _work().run_of(_Context({"c1": config}), _want(config="c1", inputs={"port": 80}), "CREATE", "s")
    assert [(f.path, f.content) for f in run.files] == [("/etc/x.json", b'{\n  "port": 80,\n  "n": [\n    null\n  ]\n}')]


def test_a_tool_that_nothing_runs_is_refused() -> None:
    with pytest.raises(sdk.FailedError, match="puppet"):
        _work().run_of(_Context({"c1": {"group": "puppet", "config": "x"}}), _want(config="c1"), "CREATE", "s")


def _shell(folder: Path, script: str, *interpreter: str, nowait: str = "", **environment: str) -> dict[str, str]:
    env = {"PATH": os.environ["PATH"], "SE_RUN": str(folder), "SE_NOWAIT": nowait, **environment}
    ran = subprocess.run(["/bin/sh", "-c", RUN.read_text(), "stackengine", *interpreter], input=script.encode(), env=env, capture_output=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    found = {}
    for line in ran.stdout.decode().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "output":
            kind, _, rest = rest.partition(" ")
        found[kind] = rest if kind == "status" else base64.b64decode(rest).decode()
    return found


def test_the_program_runs_a_script_once_and_finds_it_again(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho ran >>../count\necho out; echo err >&2\nprintf \'%s\' "$who" >"$heat_outputs_path.said"\n'
    first = _shell(tmp_path / "d" / "one", script, who="it's you")
    assert first == {"status": "0", "stdout": "out\n", "stderr": "err\n", "said": "it's you"}
    assert _shell(tmp_path / "d" / "one", script, who="it's you") == first
    assert not (tmp_path / "d" / "count").exists(), "files beside the runs are cleared"


PLAYBOOK = """\
- hosts: all
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
  - copy: {dest: "{{ place }}/said", content: "{{ words | join(' ') }}"}
  - shell: printf '%s' "$(cat {{ place }}/said)!" > "$heat_outputs_path.said"
  - {fail: {msg: never}, tags: [never]}
"""


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="ansible-playbook is not installed")
def test_a_playbook_runs_with_its_inputs_as_variables(tmp_path: Path) -> None:
    config = {"group": "ansible", "config": PLAYBOOK, "outputs": [{"name": "said"}]}
    run = _work().run_of(_Context({"c1": config}), _want(config="c1", inputs={"words": ["it", "is"], "place": str(tmp_path)}), "CREATE", "s")
    folder = tmp_path / "d" / "one"
    folder.mkdir(parents=True)
    for file in run.files:
        (folder / file.path).write_bytes(file.content)
    found = _shell(folder, run.script, *run.interpreter)
    assert (found["status"], found.get("said")) == ("0", "it is!"), found
    assert (tmp_path / "said").read_text() == "it is"


@pytest.mark.skipif(shutil.which("ansible-playbook") is not None, reason="ansible-playbook is installed")
def test_where_no_playbook_can_be_run_it_is_said(tmp_path: Path) -> None:
    run = _work().run_of(_Context({"c1": {"group": "ansible", "config": PLAYBOOK}}), _want(config="c1"), "CREATE", "s")
    found = _shell(tmp_path / "d" / "one", run.script)
    assert found["status"] == "127"
    assert "this guest has no ansible-playbook" in found["stderr"]


def test_another_run_clears_the_older_and_runs_by_its_interpreter(tmp_path: Path) -> None:
    _shell(tmp_path / "d" / "one", "true")
    assert _shell(tmp_path / "d" / "two", "print(1+1)\n", "python3", "-u")["stdout"] == "2\n"
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["two"]


def test_a_failed_run_can_be_tried_again(tmp_path: Path) -> None:
    script = "#!/bin/sh\n[ -f ok ] && exit 0\ntouch ok\nexit 3\n"
    assert _shell(tmp_path / "d" / "one", script)["status"] == "3"
    assert _shell(tmp_path / "d" / "one", script)["status"] == "0"


def test_a_script_that_died_with_its_guest_runs_again(tmp_path: Path) -> None:
    folder = tmp_path / "d" / "one"
    folder.mkdir(parents=True)
    (folder / "pid").write_text("1\nanother boot\n")
    assert _shell(folder, "#!/bin/sh\necho again\n")["stdout"] == "again\n"
