"""Run a command in a server by the guest agent, and end with its exit code: it needs no network, no SSH and no key.

    stack-run exec STACK SERVER -- uptime -p
    stack-run exec STACK SERVER --stdin -- sh -s <script

The command is not given to a shell. Its output is printed when it has ended. 125 is a failure of our own.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("server", metavar="SERVER", help="the server's path in the template")
    parser.add_argument("--stdin", action="store_true", help="give it what stands on standard input")
    parser.add_argument("--timeout", metavar="TIME", type=options.seconds, help="the longest that it is waited for")
    parser.usage = "%(prog)s [options] STACK SERVER -- CMD ..."


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Run it."""
    import sys

    from stackengine import service
    from stackengine.cli.errors import UsageError
    from stackengine.service import guests

    if not args.rest:
        raise UsageError("no command", hint=f"stack-run exec {args.stack} {args.server} -- uptime")
    given = sys.stdin.buffer.read() if args.stdin else b""
    with service.open(options.settings(args)) as session:
        ran = guests.execute(session, args.stack, args.server, args.rest, given, args.timeout)
    for stream, data in ((sys.stdout, ran.out), (sys.stderr, ran.err)):
        stream.flush()
        stream.buffer.write(data)
        stream.flush()
    return ran.code
