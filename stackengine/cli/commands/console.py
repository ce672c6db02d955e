"""Open the serial console of a server; Ctrl-] leaves it."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("server", metavar="SERVER", help="the server's path in the template")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Connect the terminal with the guest's."""
    import sys

    from stackengine import service
    from stackengine.cli.errors import UsageError
    from stackengine.service import access

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a console needs a terminal", hint=f"stack-run logs {args.stack} {args.server} prints what the guest wrote")
    with service.open(options.settings(args)) as session:
        terminal.note(f"console of {args.server}; Ctrl-] leaves it")
        access.console(session, args.stack, args.server)
    return OK
