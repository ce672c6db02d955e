"""The GitLab template, run by gitlab-ci-local: branches are pushed, pushed again and stopped, on a memory host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes.test_integrations import HERE, ROOT, TEMPLATE, program

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

    def __init__(self, folder: Path, runner: Path) -> None:
        self.folder, self.checkout, self.runner = folder, folder / "shop", runner
        self.checkout.mkdir()
        program(folder)
        (self.checkout / "stack.yaml").write_text(TEMPLATE)
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
        return plain | {"PATH": f"{self.folder}/bin:{plain['PATH']}", "STACKENGINE_STATE": str(self.folder / "state"), "STACKENGINE_HOST": "memory://"}

    def job(self, name: str, *more: str) -> str:
        command = [str(self.runner), "--home", str(self.folder), "--force-shell-executor", *more, name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=self.environ(), cwd=self.checkout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ls(self) -> dict[str, Any]:
        command = [str(self.folder / "bin" / "stack-run"), "env", "ls", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=self.environ())
        return {e["branch"]: e for e in json.loads(done.stdout)}


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
