"""``make demo`` where no private host can be had: it says so, plays the same life, and ends well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def play(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.demonstration", *words]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=300)


def test_the_whole_life_is_played_on_a_simulated_host_and_nothing_is_left(tmp_path: Path) -> None:
    done = play(tmp_path, "--simulated")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIMULATED (memory://)" in done.stdout
    assert "the simulated host has no domain, network or volume of ours left" in done.stdout
    assert "All steps ok" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_is_told_with_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "site"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import stackengine.hosts.memory.host as h\nh.MemoryHost.domain_start = lambda self, uuid: 1 / 0\n")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    done = play(tmp_path, "--simulated")
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "step 2, Up" in done.stdout
