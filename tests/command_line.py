"""``stack-run`` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SECONDS = 600
"""The longest that one command may take on a busy machine."""


def run(state: Path, *arguments: str, code: int | None = 0, seconds: float = SECONDS) -> str:
    """What a command prints; AssertionError when it ends with another code (None: any will do), or not in so many seconds."""
    command = [sys.executable, "-m", "stackengine.cli.main", *arguments]
    environment = {**os.environ, "STACKENGINE_STATE": str(state)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, env=environment)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr if code else done.stdout
