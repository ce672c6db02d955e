"""Serve a command that came with --remote from another machine: what ssh starts here. Not for people.

For a key of somebody else, in authorized_keys: command="stack-run remote --restricted",restrict ssh-ed25519 AAAA... It may make, change and delete every
stack and environment of this user, log in to their guests, and run nothing on this machine itself: no `env run`, no file outside of what is sent along.
Without --restricted a key can do here what this user can, as the command of `env run` runs here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from stackengine.cli.exit_codes import OK, of_own_failure
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.cli.remote_frames import Header

Send = Callable[[str, bytes], None]
PIECE = 1 << 16
END_SECONDS = 600.0
"""How long a command may take to end in good order when nobody waits for it any more."""


def configure(parser: argparse.ArgumentParser) -> None:
    """What is to be run comes on standard input."""
    parser.add_argument("--restricted", action="store_true", help="run no command of the caller here, and name no file but those that are sent along")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Unpack, run, and send back what it says."""
    from stackengine.cli import remote_frames as wire

    source, out = sys.stdin.buffer, sys.stdout.buffer
    lock = threading.Lock()

    def send(kind: str, data: bytes) -> None:
        with lock:
            try:
                out.write(wire.frame(kind, data))
                out.flush()
            except (BrokenPipeError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # nobody reads any more; what runs is asked to end by another way

    header = wire.Header([], "", {}, "", 0)
    try:
        header = wire.read_header(source)
        asked = _check(header, restricted=args.restricted)
        with tempfile.TemporaryDirectory(prefix="se-remote-") as folder:
            if header.length:
                wire.unpack(wire.exactly(source, header.length), Path(folder))
            if args.restricted and asked is not None:
                _confine(asked, Path(folder) / header.cwd, Path(folder))
            code = _carry_out(header, Path(folder), source, send)
    except (ValueError, OSError) as error:
        send("e", f"error: {error}\n".encode())
        code = of_own_failure(header.argv)
    send("x", str(code).encode())
    return OK


def _check(header: Header, *, restricted: bool) -> argparse.Namespace | None:
    """What is asked, None where it is no command line; ValueError for what a remote may not be asked: other commands, its state, code, or where it logs to."""
    from stackengine.cli.parser import parse
    from stackengine.cli.remoting import COMMANDS, COMMANDS_THERE, HERE_ONLY

    try:
        args = parse(header.argv)
    except SystemExit:
        return None  # the command itself says what is wrong
    if args.command not in COMMANDS:
        raise ValueError(f"a remote does not serve '{args.command}'; it serves {', '.join(COMMANDS)}")
    for name in HERE_ONLY:
        if getattr(args, name, None):
            raise ValueError(f"--{name.replace('_', '-')} cannot be said to a remote")
    host = args.host or ""
    if host and (not host.startswith(("private://", "memory://")) or "?" in host):
        raise ValueError(f"a remote may not be told to use {host}; its owner sets STACKENGINE_HOST there")


    if restricted and args.command == "env" and args.verb in COMMANDS_THERE:
        raise ValueError(f"this key may run no commands there: env {args.verb}\n  try: env up, and the command here; or a key without 'remote --restricted'")
    return args


def _confine(args: argparse.Namespace, where: Path, folder: Path) -> None:
    """ValueError for a file outside of the bundle: a template says with what folder it is read, and an error shows lines of what is read."""
    from stackengine.cli.remoting import FILES

    for name in FILES:
        said = getattr(args, name, None) or ()
        for path in [said] if isinstance(said, str) else said:
            if not path.startswith(("http://", "https://")) and not (where / path).resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"this key may name no file there: {path}\n  try: a path in the folder of the template")


def _carry_out(header: Header, folder: Path, source: IO[bytes], send: Send) -> int:
    """Run the command in the bundle; its exit code."""
    from stackengine.cli import remote_frames as wire

    where = (folder / header.cwd).resolve()
    if not where.is_relative_to(folder.resolve()):
        raise ValueError("this is no folder of the bundle")
    where.mkdir(parents=True, exist_ok=True)
    allowed = {k: v for k, v in header.environ.items() if k in ("STACKENGINE_CONTEXT", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "NO_COLOR")}
    allowed |= {k: v for k, v in header.environ.items() if k.startswith("STACKENGINE_PARAM_")}
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "GITLAB_", "CI_", "JENKINS_"))} | allowed
    command = [sys.executable, "-m", "stackengine.cli.main", *header.argv]
    process = subprocess.Popen(
        command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environ, "STACKENGINE_SERVED": "1"}
    )  # fmt: skip
    readers = [threading.Thread(target=_pass_on, args=(pipe, kind, send)) for pipe, kind in ((process.stdout, "o"), (process.stderr, "e"))]
    for reader in readers:
        reader.start()
    threading.Thread(target=_end_with, args=(source, process), daemon=True).start()
    for reader in readers:
        reader.join()
    code = process.wait()
    artifacts = where / header.artifacts
    if header.artifacts and artifacts.is_dir() and artifacts.resolve().is_relative_to(folder.resolve()):
        data = wire.bundle(artifacts, [artifacts], [])
        for at in range(0, len(data), PIECE):
            send("f", data[at : at + PIECE])
    return code if code >= 0 else 128 - code


def _pass_on(pipe: IO[bytes], kind: str, send: Send) -> None:
    while data := os.read(pipe.fileno(), PIECE):
        send(kind, data)


def _end_with(source: IO[bytes], process: subprocess.Popen[bytes]) -> None:
    """When the other side hangs up, the command is asked to end, and given time to do so in good order."""
    while source.read(1):
        pass
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
