"""``env run``: an environment for as long as one command runs."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from stackengine.model.desired import DesiredOutput
from stackengine.model.values import reveal
from stackengine.service.environments import up
from stackengine.service.environments.life import LEASE
from stackengine.service.session import Session
from stackengine.service.types import ServiceError, Settings

log = logging.getLogger("stackengine.environments")


class Lease:
    """Keeps the lease of a run alive from a thread; when this process dies, it runs out and the reaper removes the environment."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name, self._over = settings, name, threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def _renew(self) -> None:
        while not self._over.wait(LEASE / 4):
            try:
                with Session(self._settings) as session:
                    row = session.store.stack(self._name)
                    if row is not None:
                        up.change(session, row, lambda life: replace(life, run_until=time.time() + LEASE))
            except Exception as error:  # a busy database, say: the next try is due long before the lease is over
                log.warning("the lease of %s could not be renewed: %s", self._name, error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(10)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM, by which CI systems cancel jobs, ends the run as Ctrl-C does: collected, and taken down."""

    def told(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def variables(name: str, outputs: Mapping[str, DesiredOutput], file: Path) -> dict[str, str]:
    """What the command gets: ``STACK_OUTPUT_URL`` for the output ``url``, the stack's name, and a file with all of them as JSON."""
    found = {"STACKENGINE_ENVIRONMENT": name, "STACKENGINE_OUTPUTS": str(file)}
    for key, output in outputs.items():
        value = reveal(output.value)
        found[f"STACK_OUTPUT_{re.sub(r'[^A-Za-z0-9]+', '_', key).upper()}"] = value if isinstance(value, str) else json.dumps(value)
    return found


def write_outputs(outputs: Mapping[str, DesiredOutput], file: Path) -> None:
    """All outputs as JSON, in a file for this user only, as it holds secrets too."""
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump({k: reveal(o.value) for k, o in outputs.items()}, out, indent=2)


def branch_of(branch: str) -> str:
    """The branch that the environment of one run of ``branch`` counts as: never the branch's own, nor another run's."""
    return f"{branch} run {os.getpid()} {time.time_ns()}"


def command(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command with more variables; its exit code (as a shell gives it: 128 + signal), 127 where it is not there."""
    try:
        done = subprocess.run(list(words), check=False, env={**os.environ, **environment})
    except FileNotFoundError:
        raise ServiceError(f"{words[0]} is not there", hint="the command after -- is run as it stands, without a shell", exit_code=125) from None
    except PermissionError:
        raise ServiceError(f"{words[0]} cannot be run", hint="may this user execute it?", exit_code=125) from None
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
