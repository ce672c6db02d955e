"""``stack-run`` without its start-up: each command line is a fork of one process, which has imported what those before it needed.

A fork is a process of its own: it can be killed, and takes nothing with it. Run as a program, this is that one process: it reads one request a line
(JSON), forks, and answers with the fork's exit code when it has ended.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any


class Forked:
    """Runs programs (Python's text, its words) one after the other; close it when done."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._count, self._turn = folder, 0, threading.Lock()
        self._process = subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, program: str, words: list[str], environment: dict[str, str], limit: float) -> subprocess.CompletedProcess[str]:
        """What came of it; TimeoutExpired after ``limit`` seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._count += 1
            out, err = (self._folder / f"{self._count}.{n}" for n in ("out", "err"))
            request = {"program": program, "words": words, "environment": environment, "limit": limit, "out": str(out), "err": str(err)}
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = json.loads(self._process.stdout.readline())
        texts = [file.read_text() for file in (out, err)]
        for file in (out, err):
            file.unlink()
        if answer["late"]:
            raise subprocess.TimeoutExpired(words, limit, *texts)
        return subprocess.CompletedProcess(words, answer["code"], *texts)

    def close(self) -> None:
        """End the process that forks."""
        self._process.communicate()


def serve(folder: Path) -> None:
    """Answer requests until there are no more. In a fork this returns, or raises what the program raises, as at the end of any program."""
    modules, tried = folder / "modules", set(sys.modules)
    while line := sys.stdin.readline():
        request = json.loads(line)
        for name in modules.read_text().split() if modules.is_file() else ():
            if name not in tried:
                tried.add(name)
                with suppress(ImportError):  # a resource type's, which is loaded from its folder
                    importlib.import_module(name)
        fork = os.fork()
        if not fork:
            atexit.register(lambda: modules.write_text("\n".join(sys.modules)))
            become(request)
            return
        ended = os.pidfd_open(fork)
        late = not select.select([ended], [], [], request["limit"])[0]
        os.close(ended)
        if late:
            os.kill(fork, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
        print(json.dumps({"code": code, "late": late}), flush=True)


def become(request: dict[str, Any]) -> None:
    """Be the program that is asked for."""
    for number, file, flags in ((0, os.devnull, os.O_RDONLY), (1, request["out"], os.O_WRONLY | os.O_CREAT), (2, request["err"], os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(file, flags), number)
    os.environ.update(request["environment"])
    sys.argv = ["-c", *request["words"]]
    exec(compile(request["program"], "<stack-run>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
