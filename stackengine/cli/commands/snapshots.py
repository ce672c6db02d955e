"""List the snapshots of a stack, or delete one. Memories go at once; frozen disks go when no disk stands on them any more."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument("--delete", metavar="NAME", help="delete this one")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """List, or delete."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render import snapshots as view
    from stackengine.service import snapshots

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        if args.delete:
            snapshots.drop(session, args.stack, args.delete)
        found = snapshots.ls(session, args.stack)
    if terminal.json:
        terminal.document("snapshots", view.data(args.stack, found))
    elif args.delete:
        terminal.say(f"deleted {args.delete} of {args.stack}")
    else:
        terminal.data(view.listing(found, terminal.style))
    return OK
