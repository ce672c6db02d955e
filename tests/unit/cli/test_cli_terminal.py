from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def on_a_terminal(*words: str, **environ: str) -> str:
    """What a program draws on a terminal of 100 columns."""
    leader, follower = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "COLUMNS")}
    env |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | environ
    child = subprocess.Popen([sys.executable, *words], cwd=HERE, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    text = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    assert child.wait(30) == 0, text.decode()
    os.close(leader)
    return text.decode()


@pytest.mark.parametrize(("environ", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_shows_what_runs_in_place_and_ends_with_the_timeline(environ: dict[str, str], colours: bool) -> None:
    text = on_a_terminal("live_demo.py", "30", **environ)
    assert "\x1b[1A" in text, "drawn over itself"
    assert "lamp: 2/9 done, 1 running" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"
    assert ("\x1b[32m" in text) == colours
    assert text.rindex("First failure: create of web") > text.rindex("\x1b[1A")


@pytest.mark.parametrize(("words", "environ"), [((), {"TERM": "dumb"}), (("--plain",), {})])
def test_a_simple_terminal_gets_lines_only(words: tuple[str, ...], environ: dict[str, str]) -> None:
    text = on_a_terminal("live_demo.py", "100", *words, **environ)
    assert "\x1b" not in text
    assert "~ db: updating (SE::Server)" in text
    assert "First failure: create of web" in text
