"""Show what happened to a stack, oldest first; --follow goes on until the running operation ends or Ctrl-C.

With --json each event is one JSON line.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument("--follow", "-f", action="store_true", help="wait for more")
    parser.add_argument("--since", metavar="N", type=int, default=0, help="only events after number N")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them as they come."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render.events import event_data, event_line
    from stackengine.service import stacks

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        for event in stacks.events(session, args.stack, since=args.since, follow=args.follow):
            if terminal.json:
                terminal.document("event", event_data(event), line=True)
            else:
                terminal.data(event_line(event, terminal.style))
    return OK
