"""Whole commands as cold processes: their CPU seconds and their memory, as the kernel counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost."""

    cpu: float
    """User and system seconds."""
    wall: float
    """Seconds."""
    memory: float
    """Peak resident set, MB."""
    out: str = ""


def as_installed(environment: Mapping[str, str]) -> dict[str, str]:
    """This environment, with compiled modules kept as an installation has them: compiling them anew costs a second of each command."""
    return {k: v for k, v in {**os.environ, **environment}.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)) -> Cost:
    """Run a command to its end; AssertionError when it ends otherwise than with ``codes``."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=as_installed(environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    assert process.returncode in codes, f"{' '.join(command)} ended with {process.returncode}:\n{text}"
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1000, text)


def bare() -> Cost:
    """Python itself, with nothing to do."""
    return run([sys.executable, "-c", "pass"])


def stack_run(*arguments: str, state: Path | None = None) -> Cost:
    """``stack-run`` as people start it: the installed script."""
    environment = {"STACKENGINE_STATE": str(state)} if state is not None else {}
    return run([str(Path(sys.executable).with_name("stack-run")), *arguments], environment)
