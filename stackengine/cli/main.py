"""``stack-run``: parse, run one command, turn what goes wrong into words and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import FAILED, INTERRUPTED, INVALID, OK, PASSED_THROUGH, USAGE, of_own_failure
from stackengine.cli.parser import parse
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    import argparse


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code (``cli.exit_codes``)."""
    words = sys.argv[1:] if argv is None else argv
    try:
        args = parse(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else USAGE
        return PASSED_THROUGH if code and of_own_failure(words) == PASSED_THROUGH else code  # 2 would be taken for the command's
    terminal = Terminal(plain=args.plain, output=args.format)
    collect_rarely()
    try:
        if args.verbose or args.log_file:
            from stackengine.cli.logging_setup import set_up

            set_up(args, terminal)
        if getattr(args, "takes_project", False):
            from stackengine.cli import project

            project.apply(args)
        code = _run(args, terminal, sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        terminal.say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader had enough (stack-run ls | head): that is no failure. Python must not flush into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        return _failed(error, args, terminal)
    return int(code)


def _run(args: argparse.Namespace, terminal: Terminal, argv: Sequence[str]) -> int:
    """Here, or where ``--remote`` says."""
    if args.remote or os.environ.get("STACKENGINE_REMOTE") or any(s.key == "remote" for s in getattr(args, "config", ())):
        from stackengine.cli import remoting

        remote = remoting.remote_of(args)
        if remote:
            return remoting.run(remote, argv, args, terminal)
    return int(args.run(args, terminal))


def collect_rarely() -> None:
    """A command makes a stack's worth of objects that live until its end: looking for garbage among them again and again is a third of its time."""
    gc.set_threshold(100_000, 50, 100)


def _failed(error: Exception, args: argparse.Namespace, terminal: Terminal) -> int:
    """Say what went wrong, for people on stderr and for programs on stdout; the exit code."""
    from stackengine.cli.render import diagnostics
    from stackengine.engine.failures import what_to_try
    from stackengine.model.diagnostics import InvalidTemplateError
    from stackengine.registry import BrokenTypeError
    from stackengine.sdk import HostError
    from stackengine.service.types import ServiceError
    from stackengine.store.errors import StoreError

    hint = str(getattr(error, "hint", ""))
    found = error.diagnostics if isinstance(error, InvalidTemplateError) else None
    match error:
        case InvalidTemplateError():
            refused = all(d.code.startswith("X") for d in error.diagnostics.errors)
            code, message = (FAILED, "refused for safety") if refused else (INVALID, "the template is invalid")
            terminal.say(diagnostics.render(error.diagnostics, style=terminal.err_style))
        case UsageError() | ServiceError():
            code, message = getattr(error, "exit_code", USAGE), str(error)
            terminal.fail(message, hint)
        case BrokenTypeError() | StoreError():
            code, message = FAILED, str(error)
            terminal.fail(message, hint)
        case HostError():
            where = (f"{error.host}: " if error.host else "") + (f"libvirt error {error.code}: " if error.code else "")
            code, message, hint = FAILED, f"{where}{error}", what_to_try(error)
            terminal.fail(message, hint)
        case _:
            code, message = FAILED, f"internal error: {type(error).__name__}: {error}"
            _trace(error, args, terminal)
            terminal.fail(message, "this is a fault of stack-run; -v shows where it is")
    runs = args.command == "env" and args.verb == "run"
    if runs or (args.command in ("ssh", "exec", "env") and args.rest and not isinstance(error, UsageError)):
        code = PASSED_THROUGH
    if terminal.json:
        members = {"message": message, "hint": hint, "exit_code": code, "diagnostics": diagnostics.to_data(found or ())}
        terminal.document("error", members, line=True)
    return code


def _trace(error: Exception, args: argparse.Namespace, terminal: Terminal) -> None:
    """Where an internal error is: in the log file, and on the terminal with ``-v``."""
    if args.verbose or args.log_file:
        import logging
        import traceback

        text = "".join(traceback.format_exception(error)).rstrip()
        logging.getLogger("stackengine").debug("%s", text)
        if args.verbose == 1:
            terminal.say(text)


if __name__ == "__main__":
    sys.exit(main())
