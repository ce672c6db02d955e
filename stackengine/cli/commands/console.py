"""Open the serial console of a server; Ctrl-] leaves it. Or carry its screen here.

With --vnc the server's screen (its property vnc) is carried to a port on 127.0.0.1 until Ctrl-C. The address and a password, made for this time only,
are printed here and nowhere else.
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
    parser.add_argument("--vnc", action="store_true", help="its screen, by VNC")
    parser.add_argument("--port", metavar="N", type=int, default=0, help="of 127.0.0.1, with --vnc (default: a free one)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Connect the terminal with the guest's."""
    import sys

    from stackengine import service
    from stackengine.cli import attached
    from stackengine.cli.errors import UsageError
    from stackengine.service import access

    if args.vnc:
        return _screen(args, terminal)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a console needs a terminal", hint=f"stack-run logs {args.stack} {args.server} prints what the guest wrote")
    with service.open(options.settings(args)) as session:
        stream = access.console(session, args.stack, args.server)
        terminal.note(f"console of {args.server}; Ctrl-] leaves it")
        attached.attach(stream, terminal.note)
    return OK


def _screen(args: argparse.Namespace, terminal: Terminal) -> int:
    """Until interrupted."""
    from stackengine import service
    from stackengine.service import screens

    def tell(screen: screens.Screen) -> None:
        if terminal.json:
            found = {"server": screen.server, "address": screen.address, "port": screen.port, "password": screen.password}
            terminal.document("screen", {"stack": args.stack, **found}, line=True)
        else:
            terminal.data(f"address   {screen.address}::{screen.port}\npassword  {screen.password or '(of the template)'}")
        terminal.note("Ctrl-C ends it")

    with service.open(options.settings(args)) as session:
        screens.show(session, args.stack, args.server, args.port, tell, terminal.note)
    return OK
