"""Programs of this machine's owner that are asked on their standard input and answer on their standard output, within limits of time and size.

Of one that is over a limit, or that nobody waits for any more, nothing is left: its whole process group is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Any

from stackengine import sdk

MOST = 1 << 20
"""Bytes of an answer."""
TAIL = 64 << 10
"""Bytes that are kept of what it says on its standard error: the last ones."""
PIECE = 1 << 16
LOOK = 0.2
"""Seconds between two looks whether anybody waits still."""
SAID = "what it wrote to its standard error says why; the request came as JSON on its standard input"
PYTHON = Path(__file__).with_name("python_handler.py")


def ask(command: Sequence[str], event: object, timeout: float, check: Callable[[], None]) -> Any:
    """The JSON that a program answers; FailedError for another exit code and for too long an answer, TimeoutError, ValueError for what is no JSON."""
    code, out, err = run(command, json.dumps(event).encode(), timeout, check)
    if code:
        raise sdk.FailedError(f"exit code {code}: {err.decode(errors='replace')[-500:].strip()}", hint=SAID)
    return json.loads(out or b"{}")


def ask_python(handler: str, event: object, timeout: float, check: Callable[[], None]) -> Any:
    """What ``module:function`` answers: in a process of its own, as nothing ends a thread."""
    answer = ask([sys.executable, "-P", str(PYTHON)], {"path": sys.path, "handler": handler, "event": event}, timeout, check)
    if "error" in answer:
        raise sdk.FailedError(answer["error"], hint="the handler raised it: mend it there, and say the command again")
    return answer["answer"]


def run(command: Sequence[str], data: bytes, timeout: float, check: Callable[[], None]) -> tuple[int, bytes, bytes]:
    """(exit code, standard output, end of standard error); ``check`` is called while it lasts, and may raise."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    end = monotonic() + timeout
    try:
        out, err = _talk(process, data, end, timeout, check)
        return process.wait(max(0.0, end - monotonic())), out, err
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"no answer within {timeout:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _talk(process: subprocess.Popen[bytes], data: bytes, end: float, timeout: float, check: Callable[[], None]) -> tuple[bytes, bytes]:
    """Write and read until it has closed both its outputs."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    found: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    left = memoryview(data)
    os.set_blocking(process.stdin.fileno(), False)
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdin, selectors.EVENT_WRITE)
        for pipe in found:
            ready.register(pipe, selectors.EVENT_READ)
        while any(pipe in ready.get_map() for pipe in found):
            check()
            if monotonic() > end:
                raise TimeoutError(f"no answer within {timeout:g} s")
            for key, _ in ready.select(LOOK):
                if key.fileobj is process.stdin:
                    left = _written(process.stdin, left)
                    if not left:
                        ready.unregister(process.stdin)
                        process.stdin.close()
                    continue
                pipe = process.stdout if key.fileobj is process.stdout else process.stderr
                piece = os.read(pipe.fileno(), PIECE)
                if not piece:
                    ready.unregister(pipe)
                found[pipe] += piece
            if len(found[process.stdout]) > MOST:
                raise sdk.FailedError(f"it answered more than {MOST >> 10} KiB", hint="what is larger is better put somewhere, and its address answered")
            del found[process.stderr][:-TAIL]
    return bytes(found[process.stdout]), bytes(found[process.stderr])


def _written(pipe: IO[bytes], left: memoryview) -> memoryview:
    """What is still to be written; nothing where nobody reads it."""
    try:
        return left[os.write(pipe.fileno(), left[:PIECE]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]
