"""Stop a running operation by a policy: it starts nothing more, and what is running finishes first."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument(
        "--policy",
        choices=("rollback", "keep", "stop"),
        default="rollback",
        help="take everything back (default), keep what is there, or stop so that `resume` can go on",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for it; the owner of the operation does it."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.service import stacks

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        stacks.cancel(session, args.stack, args.policy)
    if terminal.json:
        terminal.document("cancel", {"stack": args.stack, "policy": args.policy})
    else:
        terminal.say(f"{args.stack}: asked to cancel ({args.policy}); `stack-run events {args.stack} --follow` shows it happen")
    return OK
