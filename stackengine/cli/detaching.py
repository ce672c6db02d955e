"""``--detach``: the operation goes on in a process of its own; this one returns as soon as it has begun."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from stackengine.cli import options, saving
from stackengine.cli.exit_codes import OK
from stackengine.service import guard, keys
from stackengine.service.types import Preview, ServiceError

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.service import Session

BEGIN_SECONDS = 60.0
"""How long the other process may take until its operation stands in the store."""


def detach(session: Session, preview: Preview, args: argparse.Namespace, terminal: Terminal) -> int:
    """Save the plan, start the process that carries it out, and tell how to go on; ServiceError where nothing has begun within ``BEGIN_SECONDS``."""
    allow = options.allowed(args)
    if allow is not None and preview.kind != "delete":
        guard.check_allowed(preview, allow)
    saved = saving.save(session, preview)
    folder = keys.folder_of(session.folder, saved.stack)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "operation.log"
    before = _last_operation(session, saved.stack)
    with log.open("ab") as out:
        process = subprocess.Popen(
            _command(saved.id, args), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, env=os.environ, close_fds=True
        )
    end = time.monotonic() + BEGIN_SECONDS
    while True:
        code = process.poll()  # before the look at the store: what has ended has written all that it writes
        operation = _last_operation(session, saved.stack)
        if operation != before or code is not None or time.monotonic() >= end:
            break
        time.sleep(0.05)
    if operation == before:
        if code is None:
            hint = f"it may begin yet: stack-run show {preview.stack} says how it stands, {log} has what it says"
            raise ServiceError(f"{preview.stack}: process {process.pid} has not begun within {BEGIN_SECONDS:g} s", hint=hint)
        if code:
            raise ServiceError(f"{preview.stack}: the operation did not begin", hint=f"see {log}")
        operation = ""
    if terminal.json:
        members = {"stack": preview.stack, "operation": operation, "change_set": saved.id, "process": process.pid, "log": str(log)}
        terminal.document("detached", members, line=True)
    elif not operation:
        terminal.say(f"{preview.stack}: there was nothing to do; {log} has what was said")
    else:
        terminal.say(f"{preview.stack}: goes on in process {process.pid}; `stack-run wait {preview.stack}` waits for its end, {log} has what it says")
    return OK


def _last_operation(session: Session, stack: str) -> str:
    found = session.store.last_operation(stack)
    return found.id if found else ""


def _command(change_set: str, args: argparse.Namespace) -> list[str]:
    words = [sys.executable, "-m", "stackengine.cli.main", "changeset", "execute", change_set, "--yes", "--plain"]
    words += ["--on-failure", getattr(args, "on_failure", "keep")]
    words += ["--keep-going"] if args.keep_going else []
    words += ["--timeout", f"{args.timeout:g}"] if args.timeout else []
    settings = options.settings(args)
    words += ["--state", settings.state] if settings.state else []
    words += ["--host", settings.host] if settings.host else []
    for folder in settings.types:
        words += ["--types", str(folder)]
    return words
