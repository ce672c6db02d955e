"""Use cases inside guests, by the guest agent (guest-exec, guest-file-*): run a command, copy a file. They need no network and no key."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.sdk import HostError
from stackengine.service import access
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

LOOK_SECONDS = 0.1
ANSWER_SECONDS, BUSY_SECONDS = 10.0, 20.0
CHUNK = 48_000
"""Bytes of a file in one message: larger ones an agent under emulation does not take."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit code (128 + the signal that ended it), and what it wrote."""

    code: int
    out: bytes
    err: bytes


def execute(session: Session, stack: str, server: str, command: Sequence[str], given: bytes = b"", timeout: float | None = None) -> Ran:
    """Run ``command`` in a guest (no shell in between) with ``given`` as its input, and wait for its end; ServiceError after ``timeout`` seconds."""
    ask = _agent(session, stack, server)
    arguments: dict[str, Any] = {"path": command[0], "arg": list(command[1:]), "capture-output": True}
    if given:
        arguments["input-data"] = base64.b64encode(given).decode()
    pid, end = ask("guest-exec", arguments)["pid"], time.monotonic() + timeout if timeout else float("inf")
    while not (found := ask("guest-exec-status", {"pid": pid})).get("exited"):
        if time.monotonic() > end:
            raise ServiceError(f"{command[0]} still runs in {server} after {timeout:g} s", hint=f"its process is {pid}")
        time.sleep(LOOK_SECONDS)
    code = found["exitcode"] if "exitcode" in found else 128 + int(found.get("signal", 0))
    return Ran(int(code), base64.b64decode(found.get("out-data") or ""), base64.b64decode(found.get("err-data") or ""))


def put(session: Session, stack: str, server: str, source: Path, target: str) -> int:
    """Copy a file into a guest; how many bytes. ServiceError when either cannot be opened."""
    ask, sent = _agent(session, stack, server), 0
    try:
        with source.open("rb") as file:
            handle = ask("guest-file-open", {"path": target, "mode": "w"})
            while part := file.read(CHUNK):
                ask("guest-file-write", {"handle": handle, "buf-b64": base64.b64encode(part).decode()})
                sent += len(part)
            ask("guest-file-close", {"handle": handle})
    except OSError as error:
        raise ServiceError(f"{source}: {error.strerror}", hint="name a file that this user may read") from error
    return sent


def get(session: Session, stack: str, server: str, source: str, target: Path) -> int:
    """Copy a file out of a guest; how many bytes. ServiceError when either cannot be opened."""
    ask, received = _agent(session, stack, server), 0
    handle = ask("guest-file-open", {"path": source, "mode": "r"})
    try:
        with target.open("wb") as file:
            while True:
                found = ask("guest-file-read", {"handle": handle, "count": CHUNK})
                received += file.write(base64.b64decode(found.get("buf-b64") or ""))
                if found.get("eof") or not found.get("count"):
                    break
    except OSError as error:
        raise ServiceError(f"{target}: {error.strerror}", hint="name a file that this user may write") from error
    finally:
        ask("guest-file-close", {"handle": handle})
    return received


def _agent(session: Session, stack: str, server: str) -> Callable[[str, dict[str, Any]], Any]:
    _, instance, host = access.find_server(session, stack, server)

    def ask(command: str, arguments: dict[str, Any]) -> Any:
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return host.domain_agent(str(instance.identity["uuid"]), {"execute": command, "arguments": arguments}, ANSWER_SECONDS)
            except HostError as error:
                busy = "not available for now" in str(error)  # it still answers somebody else: nothing was asked yet
                if not busy or time.monotonic() > end:
                    hint = error.hint or f"does it run, and has it booted? stack-run logs {stack} {server}"
                    raise ServiceError(f"{server}: {error}", hint=hint) from error
                time.sleep(LOOK_SECONDS)

    return ask
