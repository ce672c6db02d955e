"""Take a stack back to an earlier revision: the one before the present, or --to N.

Every revision keeps all that it was made from, so nothing outside is read again. `stack-run show STACK` lists revisions.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("--to", metavar="N", type=int, help="the revision (default: the one before the present; 0 is nothing at all)")
    options.add_operation(parser, on_failure=False)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service import stacks

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, stacks.preview_rollback(session, args.stack, args.to), args, terminal)
