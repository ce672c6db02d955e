"""Start servers of a stack; suspended ones go on where they were.

Power is part of what a stack should be: this is a revision of it, so `drift` and `repair` know of it, and `rollback` takes it back. The next
`up` goes by its template again.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="SERVER", nargs="*", help="servers; none: all of the stack")
    options.add_operation(parser, on_failure=False)
    options.add_allow(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service import power

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, power.preview_power(session, args.stack, args.paths, "running"), args, terminal)
