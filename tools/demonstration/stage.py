"""Prints steps as a person wants to read them, and runs ``stack-run``."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

STACK_RUN = Path(sys.executable).parent / "stack-run"
LIMIT = 300.0
"""Seconds that one command may take."""
OUTCOME = re.compile(
    r"\[ *[\d.]+s\] (?!.*: (creating|updating|replacing|deleting) \().*"  # every end of an action, no begin
    r"|(?!simulated).*: (create|update|rollback|delete) (complete|failed|and|on|revision).*|(error|hint|warning): .*|  --> .*|  a signal .*"
    r"|[✓!✗] .*|private://.*|\w+ is here: .*"
)
NOTEWORTHY = re.compile(OUTCOME.pattern + r"|  [+~±-] .*|(Plan|Interruption|Cleanup).*")
"""Lines of stack-run that tell the story; all of them stand in the log."""


class Failed(Exception):
    """What was expected did not come."""


class Stage:
    """One run of the demonstration; ``everything``: show each line of stack-run, not only the noteworthy ones."""

    def __init__(self, state: Path, *, everything: bool = False) -> None:
        self._log = state / "demo.log"
        self._everything, self._number = everything, 0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A numbered step: its title first, its result and time last."""
        self._number += 1
        print(f"\n{_bold(f'{self._number}. {title}')}", flush=True)
        began = time.monotonic()
        try:
            yield
        except (Failed, OSError) as reason:
            print(f"   {_bold('FAILED')} ({time.monotonic() - began:.1f} s): {reason}", flush=True)
            raise Failed(f"step {self._number}, {title}: {reason}") from reason
        print(f"   {_bold('ok')} ({time.monotonic() - began:.1f} s)", flush=True)

    def saw(self, text: str) -> None:
        """Tell what was looked at."""
        print("\n".join(f"   · {line}" for line in text.splitlines()), flush=True)

    def expect(self, true: bool, what: str) -> None:
        """Tell what is so; Failed when it is not."""
        if not true:
            raise Failed(f"not so: {what}")
        self.saw(what)

    def run(self, *words: str, code: int | None = 0, plan: bool = True) -> str:
        """Run ``stack-run``, show what is noteworthy while it comes; Failed when it does not end with ``code`` (None: anything will do).

        ``plan``: whether to show the plan's lines, too.
        """
        with self._started(words) as process:
            text = "".join(self._told(process, NOTEWORTHY if plan else OUTCOME))
            ended = process.wait(LIMIT)
        if code is not None and ended != code:
            raise Failed(f"stack-run {words[0]} ended with {ended}, not {code}:\n{text[-2000:]}")
        return text

    def run_until(self, pattern: str, *words: str) -> None:
        """Run ``stack-run`` and end it by SIGKILL as soon as it says ``pattern``."""
        with self._started(words) as process:
            for line in self._told(process, NOTEWORTHY):
                if re.search(pattern, line):
                    process.send_signal(signal.SIGKILL)
                    break
            ended = process.wait(LIMIT)
        if ended != -signal.SIGKILL:
            raise Failed(f"stack-run ended with {ended} before it was killed")
        self.saw(f"kill -9 {process.pid}")

    @contextlib.contextmanager
    def _started(self, words: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
        print(f"   $ {shlex.join(('stack-run', *words))}", flush=True)
        command = [STACK_RUN, *words]
        if "--" not in words:
            command.append("--plain")
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        with subprocess.Popen(command, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **out) as process:  # type: ignore[call-overload]
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()

    def _told(self, process: subprocess.Popen[str], shown: re.Pattern[str]) -> Iterator[str]:
        """Its lines, as they come."""
        assert process.stdout is not None
        with self._log.open("a") as log:
            for line in process.stdout:
                log.write(line)
                if self._everything or shown.fullmatch(line.rstrip()):
                    print(f"     {line.rstrip()}", flush=True)
                yield line


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
