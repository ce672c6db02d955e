"""docs/tutorial/branch-environments.md, followed literally: every command of it, in its order, by a user who has an empty home folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback_ssh import ROOT
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
PAGE = ROOT / "docs" / "tutorial" / "branch-environments.md"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A clean machine, as far as a folder can be one: git knows who commits, and ``stack-run`` is in the path."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "stack-run"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m stackengine.cli.main "$@"\n')
    program.chmod(0o755)
    (tmp_path / ".gitconfig").write_text("[user]\nname = t\nemail = t@example\n")
    yield tmp_path
    state = tmp_path / ".local" / "state" / "stackengine"
    for name in private.names(state):
        private.remove(name, state)
    private.ready.end(state)


def test_every_command_of_it(home: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    script = "\n".join(["set -eux", *blocks]).replace("\nintegrations/shell/", f"\n{ROOT}/integrations/shell/")
    kept = {k: v for k, v in os.environ.items() if k in ("LANG", "XDG_CACHE_HOME")}
    environ = {**kept, "HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=home, env=environ, timeout=1800)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    first, second = re.findall(r"^this is (\w+)$", done.stdout, re.MULTILINE)[:2]
    assert first == second, "main is served as before while another branch comes"
    third = re.findall(r"^this is (\w+)$", done.stdout, re.MULTILINE)[2]
    assert third != first
    assert list(private.names(home / ".local" / "state" / "stackengine")) == []
