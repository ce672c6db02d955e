"""The GitLab template, run by gitlab-ci-local: branches are pushed, pushed again and stopped, on a memory host and on real guests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from page_of_a_commit import TEMPLATE as PAGE
from processes.test_integrations import HERE, ROOT, TEMPLATE, program
from stackengine.hosts import private
from stackengine.hosts.private import requirements

missing = [r.problem for r in requirements.requirements() if r.problem]
VERSION = "4.61.1"
"""The newest that runs on Node.js 20."""
lacking = [name for name in ("npm", "node", "git", "rsync") if shutil.which(name) is None]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason=f"not here: {', '.join(lacking)}")]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gitlab-ci-local of npm, kept for the next time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stackengine-tests" / f"gitlab-ci-local-{VERSION}"
    found = cache / "node_modules" / ".bin" / "gitlab-ci-local"
    if not found.exists():
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), f"gitlab-ci-local@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            pytest.skip(f"gitlab-ci-local cannot be installed: {done.stderr.strip()[-300:]}")
    return found


class GitLab:
    """A project with our template, and its jobs."""

    def __init__(self, folder: Path, runner: Path, template: str = TEMPLATE, host: str = "memory://") -> None:
        self.folder, self.checkout, self.runner, self.host = folder, folder / "shop", runner, host
        self.checkout.mkdir()
        program(folder)
        (self.checkout / "stack.yaml").write_text(template)
        (self.checkout / "stackengine.yaml").write_text("template: stack.yaml\n")
        shutil.copytree(HERE, self.checkout / "integrations")
        (self.checkout / ".gitlab-ci.yml").write_text("stages: [deploy]\ninclude:\n  - local: integrations/gitlab/branch-environment.gitlab-ci.yml\n")
        (self.checkout / ".gitignore").write_text(".gitlab-ci-local\nstack.env\nstack.md\n")
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", "https://gitlab.example/o/shop.git")
        self.commit("first")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.checkout), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, text: str) -> str:
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@example", "commit", "-q", "--allow-empty", "-m", text)
        return self.git("rev-parse", "HEAD")

    def environ(self) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE"))}
        host = {"STACKENGINE_HOST": self.host} if self.host else {}
        return plain | host | {"PATH": f"{self.folder}/bin:{plain['PATH']}", "STACKENGINE_STATE": str(self.folder / "state")}

    def job(self, name: str, *more: str) -> str:
        command = [str(self.runner), "--home", str(self.folder), "--force-shell-executor", *more, name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=self.environ(), cwd=self.checkout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def env(self, *words: str) -> str:
        command = [str(self.folder / "bin" / "stack-run"), "env", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=self.environ()).stdout

    def ls(self) -> dict[str, Any]:
        return {e["branch"]: e for e in json.loads(self.env("ls", "--json"))}


def test_branches_are_pushed_pushed_again_and_stopped(tmp_path: Path, runner: Path) -> None:
    assert ROOT.is_dir()
    gitlab = GitLab(tmp_path, runner)
    first = gitlab.git("rev-parse", "HEAD")
    gitlab.job("branch_environment")
    gitlab.git("switch", "-qc", "feature/x")
    second = gitlab.commit("second")
    gitlab.job("branch_environment")
    found = gitlab.ls()
    assert {b: e["commit"] for b, e in found.items()} == {"main": first, "feature/x": second}
    assert {e["repository"] for e in found.values()} == {"gitlab.example/o/shop"}

    third = gitlab.commit("third")
    gitlab.job("branch_environment", "--artifacts-to-source")
    assert gitlab.ls()["feature/x"]["outputs"]["url"]["value"] == f"http://{third}.example/"
    assert f"STACK_OUTPUT_URL=http://{third}.example/" in (gitlab.checkout / "stack.env").read_text()
    assert "```mermaid" in (gitlab.checkout / "stack.md").read_text()

    gitlab.job("stop_branch_environment")
    assert set(gitlab.ls()) == {"main"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    for name in private.names(folder):
        private.remove(name, folder)
    private.ready.end(folder)


@pytest.mark.real
@pytest.mark.skipif(bool(missing), reason="; ".join(missing))
def test_the_same_with_real_guests_each_branch_in_a_host_of_its_own(tmp_path: Path, state: Path, runner: Path) -> None:
    gitlab = GitLab(tmp_path, runner, PAGE, host="")
    first = gitlab.git("rev-parse", "HEAD")
    gitlab.job("branch_environment")
    gitlab.git("switch", "-qc", "feature/x")
    for text in ("second", "third"):
        commit = gitlab.commit(text)
        gitlab.job("branch_environment")
        found = gitlab.ls()
        assert {b: e["commit"] for b, e in found.items()} == {"main": first, "feature/x": commit}
        for branch, shown in (("main", first), ("feature/x", commit)):
            with urllib.request.urlopen(found[branch]["outputs"]["url"]["value"], timeout=60) as page:
                assert page.read().decode().strip() == shown
    gitlab.job("stop_branch_environment")
    assert set(gitlab.ls()) == {"main"}
    gitlab.env("reap", "--all")
    assert list(private.names(state)) == []
