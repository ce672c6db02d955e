"""Log in to a server, or run a command there and end with its exit code.

    stack-run ssh STACK SERVER
    stack-run ssh STACK SERVER -- uptime -p

With a command, 125 is a failure of our own. Host keys are those that the guest told when it was made, never left unchecked.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("server", metavar="SERVER", help="the server's path in the template")
    parser.usage = "%(prog)s [options] STACK SERVER [-- CMD ...]"


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Hand over to ssh."""
    from stackengine import service
    from stackengine.service import ssh

    with service.open(options.settings(args)) as session:
        return ssh.ssh_command(session, args.stack, args.server, args.rest, terminal.note)
