"""Use cases inside guests, by the guest agent (guest-exec, guest-file-*): run a command, copy a file. They need no network and no key."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stackengine.sdk import HostError
from stackengine.service import access
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

Ask = Callable[[str, dict[str, Any]], Any]
"""A command to the agent and its arguments -> its answer."""
LOOK_SECONDS, SHELL_SECONDS = 0.1, 60.0
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
    return _run(_agent(session, stack, server), server, command, given, timeout)


def _run(ask: Ask, server: str, command: Sequence[str], given: bytes = b"", timeout: float | None = None) -> Ran:
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
    """Copy a file into a guest; how many bytes. ServiceError when either cannot be opened.

    It is written beside its target and takes its place, mode and owner when it is whole; what fails leaves the target as it was, and nothing else.
    Into what is no file (a device, a pipe) it is written as it stands, and so it is in a guest that has no shell.
    """
    ask = _agent(session, stack, server)
    try:
        with source.open("rb") as file:
            beside = _beside(ask, server, target)
            if beside is None:
                return _write(ask, file, target)
            part, place = beside
            try:
                sent = _write(ask, file, part)
                _said(_script(ask, server, _MOVE, part, place, f"{os.fstat(file.fileno()).st_mode & 0o777:o}"), server)
            except BaseException:
                with contextlib.suppress(ServiceError):  # of a guest that is gone it is not taken away
                    _run(ask, server, ["/bin/rm", "-f", "--", part], timeout=SHELL_SECONDS)
                raise
            return sent
    except OSError as error:
        raise ServiceError(f"{source}: {error.strerror}", hint="name a file that this user may read") from error


_BESIDE = """t=$(readlink -f -- "$1") || t=$1
if [ -d "$t" ]; then echo "$1 is a folder" >&2; exit 1; fi
if [ -e "$t" ] && [ ! -f "$t" ]; then exit 0; fi
p=$(dirname -- "$t")/$2
umask 077
: > "$p" && printf '%s\\n%s' "$p" "$t"
"""
_MOVE = """m=$3
if [ -f "$2" ]; then m=$(stat -c %a -- "$2") && chown "$(stat -c %u:%g -- "$2")" "$1" || exit; fi
chmod "$m" "$1" && mv -f -- "$1" "$2"
"""


def _beside(ask: Ask, server: str, target: str) -> tuple[str, str] | None:
    """(a new file that only its owner reads, the file whose place it is to take, links followed); None for what is no file, or without a shell."""
    name = f".{secrets.token_hex(6)}.part"
    try:
        ran = _script(ask, server, _BESIDE, target, name)
    except ServiceError:
        return None
    part, _, place = _said(ran, server).partition(f"/{name}\n")
    return (f"{part}/{name}", place) if place else None


def _script(ask: Ask, server: str, script: str, *words: str) -> Ran:
    return _run(ask, server, ["/bin/sh", "-c", script, "sh", *words], timeout=SHELL_SECONDS)


def _said(ran: Ran, server: str) -> str:
    """What a script said; ServiceError with its complaint."""
    if ran.code:
        said = ran.err.decode("utf-8", "replace").strip() or f"the shell ended with {ran.code}"
        raise ServiceError(f"{server}: {said}", hint="name a file that can be written there")
    return ran.out.decode("utf-8", "surrogateescape")


def _write(ask: Ask, file: BinaryIO, target: str) -> int:
    handle, sent = ask("guest-file-open", {"path": target, "mode": "w"}), 0
    with _closing(ask, handle):
        while part := file.read(CHUNK):
            ask("guest-file-write", {"handle": handle, "buf-b64": base64.b64encode(part).decode()})
            sent += len(part)
    return sent


@contextlib.contextmanager
def _closing(ask: Ask, handle: Any) -> Iterator[None]:
    """The agent holds what it has opened until it is told, or ends."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ServiceError):
            ask("guest-file-close", {"handle": handle})
        raise
    ask("guest-file-close", {"handle": handle})


def get(session: Session, stack: str, server: str, source: str, target: Path) -> int:
    """Copy a file out of a guest; how many bytes. ServiceError when either cannot be opened.

    What fails leaves the target as it was; one that was there keeps its mode.
    """
    ask, received = _agent(session, stack, server), 0
    handle = ask("guest-file-open", {"path": source, "mode": "r"})
    with _closing(ask, handle):
        try:
            with _whole(target) as file:
                while True:
                    found = ask("guest-file-read", {"handle": handle, "count": CHUNK})
                    received += file.write(base64.b64decode(found.get("buf-b64") or ""))
                    if found.get("eof") or not found.get("count"):
                        break
        except OSError as error:
            raise ServiceError(f"{target}: {error.strerror}", hint="name a file that this user may write") from error
    return received


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[BinaryIO]:
    """The target as it will be: it takes the place of what is there when all is written. A device or pipe is written as it stands."""
    place = target.resolve()
    if place.exists() and not place.is_file():
        with place.open("wb") as file:
            yield file
        return
    part = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            if place.exists():
                part.chmod(stat.S_IMODE(place.stat().st_mode))
            yield file
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _agent(session: Session, stack: str, server: str) -> Ask:
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
