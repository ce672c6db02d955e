"""Reach a port of a server from this machine, until Ctrl-C.

    stack-run forward STACK SERVER 8080:80      127.0.0.1:8080 here is port 80 there
    stack-run forward STACK SERVER 80           the same port on both sides; 0:80 picks a free one here
    stack-run forward --stdio STACK SERVER 22   standard input and output, as a ProxyCommand of ssh
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("server", metavar="SERVER", help="the server's path in the template")
    parser.add_argument("ports", metavar="HERE:THERE", type=ports, help="a port on 127.0.0.1 and one of the server")
    parser.add_argument("--stdio", action="store_true", help="carry standard input and output in place of a port")


def ports(text: str) -> tuple[int, int]:
    """``8080:80`` or ``80`` as (here, there)."""
    here, colon, there = text.rpartition(":")
    try:
        pair = (int(here if colon else there), int(there))
    except ValueError:
        pair = (-1, -1)
    if not (0 <= pair[0] < 65536 and 0 < pair[1] < 65536):
        raise argparse.ArgumentTypeError(f"'{text}' is no pair of ports: write 8080:80")
    return pair


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Forward until interrupted."""
    from stackengine import service
    from stackengine.service import forward

    here, there = args.ports
    with service.open(options.settings(args)) as session:
        if args.stdio:
            forward.carry(session, args.stack, args.server, there)
        else:
            forward.forward(session, args.stack, args.server, here, there, terminal.note)
    return OK
