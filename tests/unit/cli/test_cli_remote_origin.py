"""What a remote is told of where an environment comes from, heard by a program that stands in the place of ssh."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stackengine.cli.main import main

SSH = """#!{python}
import sys
sys.path[:0] = {path!r}
from stackengine.cli import remote_frames as wire
header = wire.read_header(sys.stdin.buffer)
open({heard!r}, "w").write("\\n".join(header.argv))
sys.stdout.buffer.write(wire.frame("x", b"0"))
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The command line that the remote gets."""
    program, heard = tmp_path / "bin" / "ssh", tmp_path / "heard"
    program.parent.mkdir()
    program.write_text(SSH.format(python=sys.executable, path=sys.path, heard=str(heard)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.chdir(tmp_path)

    def ask(*words: str) -> list[str]:
        assert main([*words, "--remote", "ssh://there"]) == 0
        return heard.read_text().split("\n")

    return ask


def test_a_branch_goes_there_with_the_repository_that_it_is_of(told: Callable[..., list[str]], tmp_path: Path) -> None:
    assert told("env", "down", "q") == ["env", "down", "q"]
    assert told("env", "down", "q", "--repo", "https://git.example/mine.git") == ["env", "down", "q", "--repo=git.example/mine"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", "https://git.example/mine"], check=True)
    assert told("env", "down", "q") == ["env", "down", "q", "--repo=git.example/mine"]
    assert told("env", "reset", "q", "--repo=git.example/yours") == ["env", "reset", "q", "--repo=git.example/yours"]
