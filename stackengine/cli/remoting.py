"""``--remote ssh://…``: the command runs on the machine that owns hosts and state. Template and parameters go there, events, outputs and exit code come back.

Nothing of this machine is needed but ssh: with an empty home folder, ``STACKENGINE_SSH_KEY`` and ``STACKENGINE_KNOWN_HOSTS`` (contents, or paths of
files) say who we are and whom we trust. A host key is never taken unchecked, and nobody is asked for a password.
"""

from __future__ import annotations

import argparse
import codecs
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from stackengine.cli import remote_frames as wire
from stackengine.cli.errors import UsageError
from stackengine.service import project
from stackengine.service.types import ServiceError

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal

COMMANDS = ("up", "plan", "down", "ls", "show", "events", "outputs", "logs", "env", "rollback", "wait", "cancel")
"""What may be asked of a remote."""
COMMANDS_THERE = ("run", "serve")
"""Verbs of ``env`` that run the caller's command on the remote, or stay there: not for a restricted key."""
FILES = ("template", "param_file", "environment", "project", "override_policy", "out", "artifacts")
"""Arguments that name files: of a restricted key, those that are sent along."""
HERE_ONLY = ("state", "types", "log_file")
ORIGIN = ("up", "run", "show", "down", "pin", "unpin", "extend", "park", "wake", "fork", "freeze", "reset", "outputs", "summary", "ssh", "logs", "events")
"""Verbs of ``env`` that ask where an environment comes from: that is known here, as the repository is."""
FORWARDED = ("STACKENGINE_CONTEXT", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "NO_COLOR")


def remote_of(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> str:
    """The remote that counts: ``--remote``, ``STACKENGINE_REMOTE``, the project file; empty: this machine."""
    if environ.get("STACKENGINE_SERVED") or getattr(args, "config_wanted", False):  # which settings count here is known here
        return ""
    found = args.remote or environ.get("STACKENGINE_REMOTE", "") or next((s.value for s in getattr(args, "config", ()) if s.key == "remote"), "")
    if args.command not in COMMANDS:
        if args.remote or (found and hasattr(args, "stack")):
            raise UsageError(f"{args.command} is not done on a remote from here", hint=f"log in there; from here go: {', '.join(COMMANDS)}")
        return ""
    if found and not project.is_remote(found):
        raise UsageError(f"{found} is no remote", hint="ssh://[USER@]HOST[:PORT]")
    return str(found)


def run(remote: str, argv: Sequence[str], args: argparse.Namespace, terminal: Terminal) -> int:
    """Run a command line there; its exit code. ServiceError when the remote cannot be reached."""
    for name in HERE_ONLY:
        if getattr(args, name, None):
            raise UsageError(f"--{name.replace('_', '-')} is for this machine, not for {remote}", hint="the remote's own state is used")
    header, data = _request(argv, args)
    with ExitStack() as held:
        command = [*ssh(remote, held), "stack-run remote"]
        try:
            process = held.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        except FileNotFoundError as error:
            raise ServiceError("ssh is not installed", hint="apt-get install openssh-client") from error
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            wire.send_header(process.stdin, header)
            process.stdin.write(data)
            process.stdin.flush()  # and it stays open: its end tells the remote that nobody waits any more
            code = _follow(wire.frames(process.stdout), Path(args.artifacts) if header.artifacts else None)
        except (BrokenPipeError, ValueError) as error:
            code, why = None, str(error)
        else:
            why = ""
        if code is None:
            with suppress(BrokenPipeError):  # what it did not read any more
                process.stdin.close()
            said = process.stderr.read().decode("utf-8", "replace").strip()
            process.wait(20)
            raise _broken(remote, said or why or "it ended without a word")
        process.stdin.close()
        terminal.out.flush()
        return code


def _follow(frames: Iterator[tuple[str, bytes]], artifacts: Path | None) -> int | None:
    """Pass on what comes; the exit code, or None when the stream was cut off."""
    pieces = b""
    with ExitStack() as ending:
        streams = {kind: ending.enter_context(_passed_on(stream)) for kind, stream in (("o", sys.stdout), ("e", sys.stderr))}
        for kind, data in frames:
            if kind in streams:
                streams[kind](data)
                continue
            if kind == "f":
                pieces += data
                continue
            if artifacts is not None and pieces:
                artifacts.mkdir(parents=True, exist_ok=True)
                wire.unpack(pieces, artifacts)
            return int(data)
    return None


@contextmanager
def _passed_on(stream: TextIO) -> Iterator[Callable[[bytes], None]]:
    """Writes what comes as text: frames end anywhere, also in the middle of a character, which waits for its rest."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(data: bytes, *, last: bool = False) -> None:
        stream.write(decoder.decode(data, last))
        stream.flush()

    try:
        yield take
    finally:
        take(b"", last=True)


def _broken(remote: str, said: str) -> ServiceError:
    hint = "is the machine on, and is stack-run in the PATH of that user?"
    if "Host key verification failed" in said:
        hint = "put its line of `ssh-keyscan HOST`, once you have checked it, into STACKENGINE_KNOWN_HOSTS or ~/.ssh/known_hosts"
    elif "Permission denied" in said:
        hint = "it asks for a password, which nobody can type in a job: give it a key (STACKENGINE_SSH_KEY)"
    elif "ended in the middle" in said or "without a word" in said:
        hint = "what runs there is asked to end; 'stack-run env ls' shows how far it came"
    return ServiceError(f"{remote}: {said}", hint=hint)


def _request(argv: Sequence[str], args: argparse.Namespace) -> tuple[wire.Header, bytes]:
    """The command line as it makes sense there, and the files that it names."""
    cwd = Path.cwd()
    named = [str(w) for w in (getattr(args, "template", None), *(getattr(args, "param_file", None) or ()), *(getattr(args, "environment", None) or ())) if w]
    files = [_plain(cwd / n) for n in named]
    said = next((s.value for s in getattr(args, "config", ()) if s.key == "project"), "")
    if said:
        files.append(Path(said))
    for name in files:
        if not name.is_file():
            raise UsageError(f"{name}: no such file", hint="a path is taken from the folder where you are")
    root = Path(os.path.commonpath([cwd, *(f.parent for f in files)]))
    template = getattr(args, "template", None)
    data = wire.bundle(root, [_plain(cwd / template).parent] if template else [], files) if files else b""
    words = [os.path.relpath(w, cwd) if w in named and Path(w).is_absolute() else w for w in _without_remote(argv)]
    environ = {k: v for k, v in os.environ.items() if k in FORWARDED or k.startswith("STACKENGINE_PARAM_")}
    artifacts = str(getattr(args, "artifacts", None) or "")
    if artifacts:
        words = ["artifacts" if w == artifacts else w.replace(f"--artifacts={artifacts}", "--artifacts=artifacts") for w in words]
    header = wire.Header(_with_origin(words, args), str(cwd.relative_to(root)), environ, "artifacts" if artifacts else "", len(data))
    return header, data


def _plain(path: Path) -> Path:
    """Without ``..``, links as they are: the other side has the same names."""
    return Path(os.path.normpath(path))


def _without_remote(argv: Sequence[str]) -> list[str]:
    found: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--remote":
            next(words, None)
        elif word == "--":
            return [*found, word, *words]
        elif not word.startswith("--remote="):
            found.append(word)
    return found


def _with_origin(words: list[str], args: argparse.Namespace) -> list[str]:
    """With repository, branch and commit, which only this side can see."""
    if args.command != "env":
        return words
    named = getattr(args, "name", "") and args.verb not in ("up", "run")
    perhaps = named and args.verb == "outputs" and not args.output  # the only word may be an output of this checkout's environment
    if args.verb not in ORIGIN:
        return words
    from stackengine.cli.origins import origin_of
    from stackengine.service.environments.origin import repository_here
    from stackengine.service.environments.run import branch_of

    if named and not perhaps:
        here = repository_here(Path.cwd(), os.environ, args.repo)
        return _with_flags(words, {"--repo": here} if here else {})
    folder = Path(args.template).absolute().parent if getattr(args, "template", None) else Path.cwd()
    try:
        found = origin_of(args, folder)
    except ServiceError:
        if perhaps:
            return words
        raise
    branch = branch_of(found.branch) if args.verb == "run" and not args.branch else found.branch
    told = _with_flags(words, {"--repo": found.remote or found.repository, "--branch": branch, "--commit": found.commit})
    after = next((n for n, pair in enumerate(pairwise(told), 2) if pair == ("env", "up")), 0)
    return [*told[:after], "--pushed", *told[after:]] if found.pushed and after else told


def _with_flags(words: list[str], flags: Mapping[str, str]) -> list[str]:
    """With these values of flags, in place of what was said for them."""
    cut = words.index("--") if "--" in words else len(words)
    head = words[:cut]
    for flag in flags:
        while flag in head:
            at = head.index(flag)
            del head[at : at + 2]
        head = [w for w in head if not w.startswith(f"{flag}=")]
    return [*head, *(f"{k}={v}" for k, v in flags.items()), *words[cut:]]


def ssh(remote: str, held: ExitStack, environ: Mapping[str, str] = os.environ) -> list[str]:
    """ssh to a remote, as far as the command; files that it needs live as long as ``held``."""
    place, _, port = remote.removeprefix("ssh://").rstrip("/").partition(":")
    options = ["BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=4"]
    words = ["ssh", "-T"]
    known, key = environ.get("STACKENGINE_KNOWN_HOSTS", ""), environ.get("STACKENGINE_SSH_KEY", "")
    if known:
        options += [f"UserKnownHostsFile={_file(known, held)}", "StrictHostKeyChecking=yes"]
    if key:
        words += ["-i", _file(key, held)]
        options.append("IdentitiesOnly=yes")
    words += [w for o in options for w in ("-o", o)]
    return [*words, *(["-p", port] if port else []), place]


def _file(text: str, held: ExitStack) -> str:
    """The file that ``text`` names, or one of this user only that holds it."""
    if "\n" not in text.strip() and Path(text).is_file():
        return text
    folder = held.enter_context(tempfile.TemporaryDirectory(prefix="se-ssh-"))
    file = Path(folder) / "f"
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
        out.write(text.rstrip("\n") + "\n")
    return str(file)

