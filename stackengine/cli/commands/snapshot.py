"""Freeze servers of a stack: their disks and, where they run, their memories, all at one instant. They stand still for a fraction of a second.

`restore` brings them back to it, as often as wanted. A snapshot belongs to its stack and goes with it. It takes the room of the memories at once, and of
the disks what is written from then on. Servers of private hosts with qcow2 disks can be frozen.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="SERVER", nargs="*", help="servers; none: all of the stack")
    parser.add_argument("--name", default="", help="by which it is restored (default: snapshot-N)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Freeze and tell."""
    from stackengine import service
    from stackengine.cli.render import snapshots as view
    from stackengine.service import snapshots

    with service.open(options.settings(args)) as session:
        made = snapshots.take(session, args.stack, args.paths, args.name)
    if terminal.json:
        terminal.document("snapshots", view.data(args.stack, [made]))
    else:
        servers = ", ".join(made.servers)
        terminal.say(f"{made.name}: {servers} (stood still for {made.pause:.2f} s); back to it: stack-run restore {args.stack} {made.name}")
    return OK
