"""Show the console log of a server; --follow goes on until Ctrl-C."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("server", metavar="SERVER", help="the server's path in the template")
    parser.add_argument("--follow", "-f", action="store_true", help="wait for more")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print lines as they come."""
    from stackengine import service
    from stackengine.service import access

    with service.open(options.settings(args)) as session:
        for line in access.logs(session, args.stack, args.server, args.follow):
            if terminal.json:
                terminal.document("log", {"stack": args.stack, "server": args.server, "line": line.rstrip("\n")}, line=True)
            else:
                terminal.data(line.rstrip("\n"))
    return OK
