"""What is in ``integrations/``: valid under the published schemas, and its shell steps run for real, on a memory host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HERE = ROOT / "integrations"
pytestmark = pytest.mark.thorough
TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string, default: none}
resources:
  thing: {type: 'SE::None', properties: {value: {get_param: commit}}}
outputs:
  url: {value: {list_join: ["", ["http://", {get_attr: [thing, value]}, ".example/"]]}}
"""


@pytest.mark.parametrize(
    ("file", "schema", "more"),
    [
        ("github/action.yml", "vendor.github-actions", []),
        ("github/workflow.yml", "vendor.github-workflows", []),
        ("gitlab/branch-environment.gitlab-ci.yml", "vendor.gitlab-ci", ["--data-transform", "gitlab-ci"]),
    ],
)
def test_they_are_valid_under_the_published_schemas(file: str, schema: str, more: list[str]) -> None:
    pytest.importorskip("check_jsonschema")
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, str(HERE / file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "stack.yaml").write_text(TEMPLATE)
    (folder / "stackengine.yaml").write_text("template: stack.yaml\n")
    program(tmp_path)
    return folder


def program(folder: Path) -> None:
    """``stack-run`` in ``folder/bin``."""
    (folder / "bin").mkdir()
    file = folder / "bin" / "stack-run"
    file.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m stackengine.cli.main "$@"\n')
    file.chmod(0o755)


def run(checkout: Path, script: str, environ: dict[str, str], code: int = 0) -> str:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE"))}
    plain |= {"PATH": f"{checkout.parent}/bin:{plain['PATH']}", "STACKENGINE_STATE": str(checkout.parent / "state"), "STACKENGINE_HOST": "memory://"}
    done = subprocess.run(["sh", "-e", "-c", script], capture_output=True, text=True, cwd=checkout, env=plain | environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def github(checkout: Path, **more: str) -> dict[str, str]:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/shop", "GITHUB_REF_NAME": "feature/x", "GITHUB_SHA": "c1"}
    environ["GITHUB_ACTION_PATH"] = str(HERE / "github")
    files = {n: str(checkout.parent / n.lower()) for n in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return {**environ, **files, "VERB": "up", "TEMPLATE": "", "BRANCH": "", "ARGUMENTS": "--param commit=c1", **more}


def environments(checkout: Path) -> list[dict[str, Any]]:
    return json.loads(run(checkout, "stack-run env ls --json", {}))


def test_the_steps_of_the_github_action(checkout: Path) -> None:
    (step,) = yaml.safe_load((HERE / "github" / "action.yml").read_text())["runs"]["steps"]
    run(checkout, step["run"], github(checkout))
    (found,) = environments(checkout)
    assert (found["branch"], found["commit"]) == ("feature/x", "c1")
    outputs = (checkout.parent / "github_output").read_text()
    assert f"environment={found['name']}\nurl=http://c1.example/" in outputs
    summary = (checkout.parent / "github_step_summary").read_text()
    for part in ("complete", "<http://c1.example/>", "```mermaid\nflowchart LR", "<code>feature/x</code>"):
        assert part in summary
    closed = github(checkout, VERB="down", ARGUMENTS="--closed-pull-request", GITHUB_HEAD_REF="feature/x")
    run(checkout, step["run"], closed)
    assert len(environments(checkout)) == 1, "it lives as long as its branch"
    project = checkout / "stackengine.yaml"
    project.write_text(project.read_text() + "closed_pull_request: end\n")
    run(checkout, step["run"], closed)
    assert environments(checkout) == []
    run(checkout, step["run"], github(checkout, VERB="down", ARGUMENTS="", BRANCH="feature/x"))


def test_nothing_is_built_for_a_pull_request_from_a_fork_unless_asked(checkout: Path) -> None:
    event = checkout.parent / "event.json"
    sides = {"head": {"repo": {"full_name": "stranger/shop"}, "sha": "c2"}, "base": {"repo": {"full_name": "o/shop"}}}
    event.write_text(json.dumps({"pull_request": sides}))
    environ = github(checkout, GITHUB_EVENT_PATH=str(event), GITHUB_HEAD_REF="theirs")
    script = f"{HERE}/shell/branch-environment up"
    assert "nothing is built" in run(checkout, script, environ)
    assert environments(checkout) == []
    run(checkout, script, {**environ, "STACKENGINE_FORKS": "yes"})
    assert [(e["branch"], e["commit"], e["repository"]) for e in environments(checkout)] == [("theirs", "c2", "github.com/stranger/shop")]


def test_a_fork_is_known_in_jenkins_too(checkout: Path) -> None:
    plain = {k: v for k, v in github(checkout).items() if not k.startswith("GITHUB")}
    environ = {**plain, "JENKINS_URL": "https://j", "GIT_URL": "https://git.example/o/shop.git", "CHANGE_BRANCH": "main", "GIT_COMMIT": "c"}
    script = f"{HERE}/shell/branch-environment up"
    assert "nothing is built" in run(checkout, script, {**environ, "CHANGE_FORK": "stranger"})
    assert environments(checkout) == []
    run(checkout, script, environ)
    run(checkout, script, {**environ, "CHANGE_FORK": "stranger", "STACKENGINE_FORKS": "yes"})
    assert sorted(e["repository"] for e in environments(checkout)) == ["git.example/o/shop", "git.example/stranger/shop"]
    run(checkout, f"{HERE}/shell/branch-environment down", environ)
    run(checkout, f"{HERE}/shell/branch-environment down", environ)


def test_the_steps_of_the_gitlab_template(checkout: Path) -> None:
    jobs = yaml.safe_load((HERE / "gitlab" / "branch-environment.gitlab-ci.yml").read_text())
    environ = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.example/o/shop", "CI_COMMIT_BRANCH": "x", "CI_COMMIT_SHA": "c1"}
    environ |= {**jobs["variables"], "STACKENGINE_SCRIPT": str(HERE / "shell" / "branch-environment")}
    run(checkout, "\n".join([*jobs[".stackengine"]["before_script"], *jobs["branch_environment"]["script"]]), environ)
    assert "STACK_OUTPUT_URL=http://c1.example/" in (checkout / "stack.env").read_text()
    assert "```mermaid" in (checkout / "stack.md").read_text()
    run(checkout, "\n".join(jobs["stop_branch_environment"]["script"]), environ)
    assert environments(checkout) == []


def test_the_scripts_are_shell_and_the_units_name_a_command_that_there_is() -> None:
    subprocess.run(["sh", "-n", str(HERE / "shell" / "branch-environment")], check=True)
    for file in ("systemd/stackengine-reap.service", "cron"):
        assert "stack-run --plain env reap" in (HERE / file).read_text()
