"""Shut servers of a stack down and start them again; those that do not run stay as they are."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="SERVER", nargs="*", help="servers; none: all of the stack")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Restart them."""
    from stackengine import service
    from stackengine.service import power

    with service.open(options.settings(args)) as session:
        found = power.reboot(session, args.stack, args.paths)
    terminal.say(f"{args.stack}: restarted {', '.join(found)}" if found else f"{args.stack}: no server runs")
    return OK
