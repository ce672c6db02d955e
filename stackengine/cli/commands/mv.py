"""Rename a logical id: the object, its addresses and its data stay, and the template has to use the new name from then on.

`stackengine: {moved_from: OLD}` in the resource's metadata says the same with the next `up`.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("old", metavar="OLD", help="the path as it is")
    parser.add_argument("new", metavar="NEW", help="the path as it will be")
    options.add_operation(parser, on_failure=False)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service import adopt

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, adopt.preview_mv(session, args.stack, args.old, args.new), args, terminal)
