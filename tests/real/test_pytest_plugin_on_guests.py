"""The pytest plugin on real guests, under pytest-xdist: forks of one stack, resets, commands, pages, and nothing left afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from loopback_ssh import ROOT
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.templates import gallery

pytest.importorskip("libvirt")
pytest.importorskip("xdist")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
NAME = "stackengine.testing.pytest_plugin"
PLUGIN = [] if any(e.value == NAME for e in entry_points(group="pytest11")) else ["-p", NAME]
"""Where the package was installed before it had the entry point."""
TESTS = """
import pytest
forked = pytest.mark.stack("stack.yaml", scope="function", fork=True, parameters={"greeting": "hi there"})

@forked
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_fork_each(stack, n):
    web = stack.server("web")
    assert web.get("/").text.strip() == "hi there"
    assert web.exec("ls /tmp/mine 2>/dev/null || echo none").ok().out.strip() == "none"
    web.exec("echo $$ >/tmp/mine").ok()
    assert web.ssh("cat", "/srv/index.html").ok().out.strip() == "hi there"

@pytest.mark.stack("stack.yaml", scope="function", reset=True)
def test_back_again(stack):
    web = stack.server("web")
    for _ in range(2):
        web.exec("echo gone >/srv/index.html").ok()
        assert web.get("/").text.strip() == "gone"
        stack.reset()
        assert web.get("/").text.strip() == "Hello from stackengine"

@forked
def test_fails(stack):
    assert stack.server("web").get("/nothing").status == 200
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    for name in private.names(folder):
        private.remove(name, folder)


def test_forks_for_every_test_in_two_workers(state: Path, tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    shutil.copy(gallery()["hello"] / "hot" / "stack.yaml", tmp_path / "suite" / "stack.yaml")
    (tmp_path / "suite" / "test_it.py").write_text(TESTS)
    (tmp_path / "suite" / "pytest.ini").write_text("[pytest]\n")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE", "PYTEST"))}
    environ |= {"STACKENGINE_STATE": str(state), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *PLUGIN, "-n", "2", "-v"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "suite", env=environ, timeout=1500)
    said = done.stdout + done.stderr
    assert "1 failed, 4 passed" in said, said
    assert "stack suite-" in said, said
    assert "console of web" in said, said
    assert list(private.names(state)) == []
    assert not any((state / "cuts").iterdir())
