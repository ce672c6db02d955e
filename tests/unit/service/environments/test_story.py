"""Branches come and go on memory hosts, by the command itself: each has its own environment, and nothing of one that goes is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stackengine.cli.main import main

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string, default: none}
  wait: {type: string, default: "no"}
conditions:
  waits: {equals: [{get_param: wait}, "yes"]}
resources:
  thing: {type: 'SE::None', properties: {value: {get_param: commit}}}
  handle: {type: 'OS::Heat::WaitConditionHandle'}
  never: {type: 'OS::Heat::WaitCondition', condition: waits, depends_on: thing, properties: {handle: {get_resource: handle}, timeout: 60}}
outputs:
  commit: {value: {get_param: commit}}
"""


SHOP = ("--repo", "git.example/shop")


class Ci:
    """One machine that runs jobs."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capfd = folder, capfd
        (folder / "stack.yaml").write_text(TEMPLATE)
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS"))}
        self.environ |= {"STACKENGINE_STATE": str(folder / "state"), "STACKENGINE_HOST": "memory://", "NO_COLOR": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "stackengine.cli.main", "env", *arguments]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environ, cwd=self.folder)

    def run(self, *arguments: str, code: int = 0) -> str:
        """In this process, as each start of Python costs more than the command."""
        self.capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for key in os.environ.keys() - self.environ.keys():
                patch.delenv(key)
            for key, value in self.environ.items():
                patch.setenv(key, value)
            patch.chdir(self.folder)
            ended = main(["env", *arguments])
        out, err = self.capfd.readouterr()
        assert ended == code, out + err
        return out + err

    def push(self, branch: str, commit: str, *more: str, code: int = 0) -> str:
        origin = ["--repo", "git.example/shop", "--branch", branch, "--commit", commit]
        return self.run("up", "stack.yaml", "--yes", *origin, "--param", f"commit={commit}", *more, code=code)

    def ls(self) -> dict[str, Any]:
        found = json.loads(self.run("ls", "--json"))
        return {e["branch"]: e for e in found}

    def wait_for(self, what: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not what():
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.fixture
def ci(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Ci:
    return Ci(tmp_path, capfd)


def test_every_branch_has_its_own_and_a_push_updates_it(ci: Ci) -> None:
    for branch in ("main", "feature/x", "feature-x"):
        ci.push(branch, f"1-{branch}")
    ci.push("main", "2")
    found = ci.ls()
    assert {b: e["outputs"]["commit"]["value"] for b, e in found.items()} == {"main": "2", "feature/x": "1-feature/x", "feature-x": "1-feature-x"}
    assert found["main"]["commit"] == "2"
    assert len({e["name"] for e in found.values()}) == 3


@pytest.mark.thorough
def test_a_push_that_fails_leaves_the_old_commit_serving_and_says_so(ci: Ci) -> None:
    ci.push("main", "1")
    said = ci.push("main", "2", "--param", "wait=yes", "--timeout", "1s", code=1)
    assert "still serves commit 1" in said
    assert (ci.ls()["main"]["commit"], ci.ls()["main"]["pushed"]) == ("1", "2")


@pytest.mark.thorough
def test_a_template_that_has_nothing_in_common_with_the_one_before_is_told(ci: Ci) -> None:
    ci.push("main", "1")
    (ci.folder / "stack.yaml").write_text(TEMPLATE.replace("thing", "other").replace("handle:", "hook:").replace("get_resource: handle", "get_resource: hook"))
    assert "nothing in common" in ci.push("main", "2")


@pytest.mark.thorough
def test_a_later_push_overtakes(ci: Ci) -> None:
    slow = ci.start("up", "stack.yaml", "--repo", "git.example/shop", "--branch", "main", "--commit", "1", "--param", "wait=yes", "--param", "commit=1")
    ci.wait_for(lambda: ci.ls().get("main", {}).get("state") == "running")
    ci.push("main", "2")
    slow.communicate(timeout=60)
    assert slow.returncode != 0
    assert ci.ls()["main"]["commit"] == "2"


@pytest.mark.thorough
def test_what_is_busy_may_be_refused(ci: Ci) -> None:
    slow = ci.start("up", "stack.yaml", "--repo", "git.example/shop", "--branch", "main", "--param", "wait=yes")
    ci.wait_for(lambda: ci.ls().get("main", {}).get("state") == "running")
    assert "an operation runs" in ci.push("main", "2", "--while-busy", "refuse", code=1)
    slow.send_signal(signal.SIGKILL)
    slow.communicate(timeout=60)


@pytest.mark.thorough
def test_what_expired_goes_and_what_is_pinned_stays(ci: Ci) -> None:
    ci.push("old", "1", "--ttl", "0.01s")
    ci.push("pinned", "1", "--ttl", "0.01s")
    ci.push("new", "1")
    ci.run("pin", "pinned")
    dry = ci.run("reap", "--dry-run")
    assert "would go: expired" in dry
    assert set(ci.ls()) == {"old", "pinned", "new"}
    ci.run("reap")
    assert set(ci.ls()) == {"pinned", "new"}
    ci.run("reap", "--all")
    assert ci.ls() == {}


@pytest.mark.thorough
def test_two_reapers_at_once_do_no_harm(ci: Ci) -> None:
    for n in range(3):
        ci.push(f"b{n}", "1", "--ttl", "0.01s")
    reapers = [ci.start("reap") for _ in range(2)]
    for reaper in reapers:
        reaper.communicate(timeout=120)
    ci.run("reap")
    assert ci.ls() == {}


@pytest.mark.thorough
def test_serve_reaps_until_it_is_told_to_end(ci: Ci) -> None:
    ci.push("old", "1", "--ttl", "0.01s")
    serving = ci.start("serve", "--every", "0.2s")
    ci.wait_for(lambda: ci.ls() == {})
    serving.terminate()
    said, _ = serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert "gone: expired" in said


@pytest.mark.thorough
def test_a_closed_pull_request_ends_an_environment_only_where_that_is_the_policy(ci: Ci) -> None:
    ci.push("x", "1")
    assert "stays" in ci.run("down", "x", *SHOP, "--closed-pull-request")
    assert set(ci.ls()) == {"x"}
    (ci.folder / "stackengine.yaml").write_text("closed_pull_request: end")
    ci.run("down", "x", *SHOP, "--closed-pull-request")
    assert ci.ls() == {}


@pytest.mark.thorough
def test_a_life_can_be_made_longer(ci: Ci) -> None:
    ci.push("main", "1", "--ttl", "0.01s")
    ci.run("extend", "main", "--ttl", "2h")
    ci.run("reap")
    assert set(ci.ls()) == {"main"}


def run_words(*command: str) -> list[str]:
    return ["run", "stack.yaml", "--repo", "git.example/shop", "--branch", "r", "--commit", "7", "--param", "commit=7", "--", *command]


@pytest.mark.thorough
def test_a_run_gives_outputs_and_passes_the_exit_code_through_and_leaves_nothing(ci: Ci, tmp_path: Path) -> None:
    said = ci.run(*run_words("sh", "-c", 'echo "got $STACK_OUTPUT_COMMIT $(cat $STACKENGINE_OUTPUTS)"; exit 3'), code=3)
    assert "got 7" in said
    assert '"commit": "7"' in said
    assert ci.ls() == {}


@pytest.mark.thorough
def test_a_run_collects_what_happened(ci: Ci, tmp_path: Path) -> None:
    words = run_words("true")
    ci.run(*words[:2], "--artifacts", "kept", *words[2:])
    assert 'testcase classname="stack.' in (tmp_path / "kept" / "junit.xml").read_text()
    assert "action.ready" in (tmp_path / "kept" / "events.jsonl").read_text()


@pytest.mark.thorough
def test_a_run_whose_command_is_not_there_is_our_own_failure(ci: Ci) -> None:
    assert "is not there" in ci.run(*run_words("/no/such/command"), code=125)
    assert ci.ls() == {}


@pytest.mark.thorough
def test_a_run_that_is_not_in_order_is_our_own_failure_too(ci: Ci) -> None:
    assert "needs a command" in ci.run("run", "stack.yaml", code=125)
    assert "no time" in ci.run("run", "stack.yaml", "--ttl=-1h", code=125), "2 would be taken for the command's"
    ci.run("up", "stack.yaml", "--ttl=-1h", code=2)
    (ci.folder / "stack.yaml").write_text("resources: {}")
    ci.run(*run_words("true"), code=125)


@pytest.mark.thorough
def test_a_run_that_is_cancelled_takes_its_environment_along(ci: Ci, tmp_path: Path) -> None:
    job = ci.start(*run_words("sh", "-c", f"touch {tmp_path}/begun; exec sleep 60"))
    ci.wait_for((tmp_path / "begun").exists)
    job.terminate()
    job.communicate(timeout=60)
    assert job.returncode == 130
    assert ci.ls() == {}


@pytest.mark.thorough
def test_a_failed_run_may_be_kept_for_a_while(ci: Ci) -> None:
    words = run_words("false")
    ci.run(*words[:2], "--keep-on-failure", "2h", *words[2:], code=1)
    ci.run("reap")
    assert set(ci.ls()) == {"r"}


@pytest.mark.thorough
def test_a_job_that_is_killed_leaves_an_environment_that_the_reaper_takes_when_its_lease_is_over(ci: Ci, tmp_path: Path) -> None:
    left = tmp_path / "pid"
    job = ci.start(*run_words("sh", "-c", f"echo $$ >{left}.part; mv {left}.part {left}; exec sleep 60"))
    ci.wait_for(left.exists)
    job.kill()
    job.wait(30)
    os.kill(int(left.read_text()), signal.SIGKILL)  # what the job ran goes with the job's container
    ci.run("reap")
    assert set(ci.ls()) == {"r"}
    from stackengine import service
    from stackengine.service.environments import reap
    from stackengine.service.types import Settings

    with service.open(Settings(state=str(ci.folder / "state"), host="memory://")) as session:
        (gone,) = reap.reap(session, clock=lambda: time.time() + 3600)
        assert "process of its run" in gone.verdict.reason
    assert ci.ls() == {}


@pytest.mark.thorough
def test_every_push_is_remembered_with_its_commit_its_plan_and_how_it_ended(ci: Ci) -> None:
    ci.push("main", "1")
    ci.push("main", "2", "--param", "wait=yes", "--timeout", "1s", code=1)
    ci.push("main", "3")
    found = json.loads(ci.run("show", "main", "--json"))
    assert [(p["commit"], p["status"]) for p in found["pushes"]] == [("1", "complete"), ("2", "rolled_back"), ("3", "complete")]
    assert found["pushes"][0]["plan"]["add"] >= 1
    assert "rolled_back" in ci.run("show", "main")


@pytest.mark.thorough
def test_outputs_are_there_for_other_programs(ci: Ci) -> None:
    ci.push("main", "1")
    name = ci.ls()["main"]["name"]
    assert ci.run("outputs", "main", "commit").strip() == "1"
    here = ("--repo", "git.example/shop", "--branch", "main")
    assert ci.run("outputs", "commit", *here).strip() == "1"  # the only word is no environment
    assert "no environment comit" in ci.run("outputs", "comit", *here, code=2)
    assert f"STACKENGINE_ENVIRONMENT={name}\nSTACK_OUTPUT_COMMIT=1" in ci.run("outputs", "main", "--format", "dotenv")
    assert f"environment={name}\ncommit=1" in ci.run("outputs", "main", "--format", "github")
    assert json.loads(ci.run("outputs", "main", "--format", "json"))["outputs"]["commit"]["value"] == "1"
    assert "operation.finished" in ci.run("events", "main", "--json")


@pytest.mark.thorough
@pytest.mark.parametrize("policy", ["overtake", "queue"])
def test_two_first_pushes_in_the_very_same_moment_make_one_environment(ci: Ci, policy: str) -> None:
    words = ("up", "stack.yaml", "--repo", "git.example/shop", "--branch", "main", "--while-busy", policy)
    jobs = [ci.start(*words, "--commit", c, "--param", f"commit={c}") for c in ("1", "2")]
    codes = []
    for job in jobs:
        job.communicate(timeout=120)
        codes.append(job.returncode)
    assert 0 in codes
    assert policy == "overtake" or codes == [0, 0]
    (found,) = ci.ls().values()
    assert found["outputs"]["commit"]["value"] == found["commit"]


@pytest.mark.thorough
def test_what_cannot_be_forked_is_told_and_starts_cold(ci: Ci) -> None:
    ci.push("main", "1")
    assert "a cold start, no fork" in ci.push("x", "2", "--from", "main")
    assert ci.ls()["x"]["outputs"]["commit"]["value"] == "2"
    assert "only what is in a private host of its own can be cut" in ci.run("fork", "main", "--branch", "y", code=1)
    assert "there is no environment nobody" in ci.run("fork", "nobody", "--branch", "y", code=2)
    assert "has no frozen cut" in ci.run("reset", "main", *SHOP, code=1)
    assert set(ci.ls()) == {"main", "x"}


@pytest.mark.thorough
def test_a_branch_of_any_bytes_a_past_time_are_taken_or_told(ci: Ci) -> None:
    ci.push(os.fsdecode(b"b\xff\xfe;$(touch x)`"), "1")
    (found,) = ci.ls().values()
    assert found["name"].replace("-", "").isalnum()
    assert not (ci.folder / "x").exists()
    assert "is no time" in ci.run("up", "stack.yaml", "--ttl", "0", code=2)
    assert "is no time" in ci.run("up", "stack.yaml", "--ttl=-5m", code=2)


def of_two(ci: Ci) -> tuple[str, str]:
    """The names of two environments of one branch, in two repositories."""
    for repository in ("mine", "yours"):
        ci.run("up", "stack.yaml", "--repo", f"git.example/{repository}", "--branch", "q")
    names = {e["repository"]: e["name"] for e in json.loads(ci.run("ls", "--json"))}
    return names["git.example/mine"], names["git.example/yours"]


def names(ci: Ci) -> set[str]:
    return {e["name"] for e in json.loads(ci.run("ls", "--json"))}


def test_a_branch_is_one_of_the_repository_that_was_said(ci: Ci) -> None:
    mine, yours = of_two(ci)
    assert json.loads(ci.run("show", "q", "--repo", "https://git.example/mine.git", "--json"))["name"] == mine
    ci.run("down", "q", "--repo", "git.example/mine")
    assert names(ci) == {yours}
    said = ci.run("down", "q", "--repo", "git.example/mine", code=2)
    assert "no environment q of git.example/mine" in said
    assert f"{yours} of git.example/yours" in said
    assert "no environment q of" in ci.run("fork", "q", "--repo", "git.example/mine", "--branch", "z", code=2)
    assert "no environment q of" in ci.run("up", "stack.yaml", "--from", "q", "--repo", "git.example/mine", "--branch", "z", code=2)
    assert names(ci) == {yours}


def test_a_branch_is_one_of_this_checkouts_repository_and_others_go_by_their_full_name(ci: Ci) -> None:
    _, yours = of_two(ci)
    subprocess.run(["git", "init", "-q", str(ci.folder)], check=True)
    subprocess.run(["git", "-C", str(ci.folder), "remote", "add", "origin", "https://git.example/mine"], check=True)
    ci.run("down", "q")
    assert names(ci) == {yours}
    ci.run("down", "q", code=2)
    ci.run("show", "q", code=2)
    ci.run("down", yours)
    assert names(ci) == set()


def test_where_no_repository_is_known_a_branch_is_looked_at_and_never_taken_down(ci: Ci) -> None:
    mine, yours = of_two(ci)
    assert mine in ci.run("show", "q", code=2)
    ci.run("down", yours)
    assert json.loads(ci.run("show", "q", "--json"))["name"] == mine
    for verb in ("down", "reset"):
        assert "say --repo, or the full name" in ci.run(verb, "q", code=2)
    assert names(ci) == {mine}


def test_the_reaper_knows_a_repository_by_any_of_its_urls(ci: Ci) -> None:
    mine, yours = of_two(ci)
    said = ci.run("reap", "--all", "--repo", "ssh://git@git.example/mine.git")
    assert f"{mine}: gone" in said
    assert names(ci) == {yours}
    assert "no environment of https://git.example/none" in ci.run("reap", "--repo", "https://git.example/none")
