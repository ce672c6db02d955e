"""Processes of ours that outlive a command: how they are started, found and ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import stackengine

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
END_SECONDS = 10.0
LOOK_SECONDS = 0.02
_FLOCK = "hhqqi0q"
_LOCK = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
"""struct flock of fcntl(2), for the whole file."""


def environment() -> dict[str, str]:
    """A clean environment: what the user's shell holds (also secrets) is no business of a process that lives on."""
    root = Path(stackengine.__file__).parent.parent
    kept = {name: os.environ[name] for name in ("HOME", "USER", "XDG_RUNTIME_DIR") if name in os.environ}
    return {**kept, "PATH": SEARCH, "LANG": "C.UTF-8", "PYTHONPATH": str(root)}


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours; nothing from the working directory is imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def start_detached(command: Sequence[str], log: Path, descriptors: Sequence[int] = ()) -> None:
    """Start a process that is nobody's child here, so that nobody here must bury it; what it says goes to ``log``."""
    with log.open("w") as out:
        subprocess.run(
            ["setsid", "--fork", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=descriptors,
            env=environment(),
            cwd="/",
            check=True,
        )


def last_words(log: Path) -> str:
    """The last line of a log."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1] if lines else "it said nothing"


@contextmanager
def holding(file: Path) -> Iterator[int | None]:
    """Hold the lock of a process that is to be there once; None when somebody holds it: it lives.

    The lock belongs to the open file, so it is held until the last copy of the descriptor is closed, also one that another program inherited:
    it tells of life better than any process id.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _LOCK)
        except (BlockingIOError, PermissionError):
            yield None
        else:
            os.ftruncate(descriptor, 0)
            yield descriptor
    finally:
        os.close(descriptor)


def lives(file: Path) -> bool:
    """Whether some process holds the lock. Asking takes no lock, so it disturbs nobody who is about to."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        found: int = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _LOCK))[0]
    finally:
        os.close(descriptor)
    return found != fcntl.F_UNLCK


def holder(file: Path) -> int | None:
    """The process id that the holder of the lock wrote into it; None when nobody holds it."""
    if not lives(file):
        return None
    text = file.read_text()
    return int(text) if text.isdigit() else None


def wait_until_free(file: Path, seconds: float) -> bool:
    """Wait until nobody holds the lock any more, and until its holder has really gone where it left its process id; whether that came true."""
    limit = time.monotonic() + seconds
    with watching(holder(file)) as handle:
        if handle is not None:
            return not lives(file) or bool(select.select([handle], [], [], seconds)[0])
    while lives(file):
        if time.monotonic() > limit:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def end(pid: int, *, at_once: bool = False) -> None:
    """End a process by its id and return when it is gone; the caller knows that the id is that of a process of ours."""
    with watching(pid) as handle:
        for number in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
            if handle is None:
                return
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], END_SECONDS)[0]:
                return


def parent(pid: int) -> int | None:
    """The parent of a process, or None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


@contextmanager
def watching(pid: int | None) -> Iterator[int | None]:
    """A descriptor that is readable as soon as the process has ended; None when it is gone already."""
    try:
        handle = os.pidfd_open(pid) if pid else None
    except ProcessLookupError:
        handle = None
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)
