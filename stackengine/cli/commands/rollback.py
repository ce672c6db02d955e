"""Take a stack back to an earlier revision: the one before the present, or --to N; after a failure, the present one.

Every revision keeps all that it was made from, so nothing outside is read again. `stack-run show STACK` lists revisions. After a rollback
that failed itself, --continue goes on with it; --skip PATH leaves one resource as it is, whatever that is, and goes on with the others.
`stack-run plan --rollback-of STACK` shows the plan and does nothing.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    aim = parser.add_mutually_exclusive_group()
    aim.add_argument("--to", metavar="N", type=int, help="the revision (default: the one before the present; 0 is nothing at all)")
    aim.add_argument("--continue", dest="go_on", action="store_true", help="go on with a rollback that failed")
    parser.add_argument("--skip", metavar="PATH", action="append", default=[], help="leave this resource as it is; repeatable")
    options.add_operation(parser, on_failure=False)
    options.add_allow(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import stacks

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        preview = stacks.preview_rollback(session, args.stack, args.to, go_on=args.go_on, skip=args.skip)
        return operations.carry_out(session, preview, args, terminal)
