"""Take servers of a stack to another host as they run, with their memory and their own disks.

Without --to the scheduler chooses among the hosts of the inventory (`stack-run hosts ls`). Where a server is belongs to the revision: `rollback`
takes it back, and the next `up` leaves it where it is. The hosts must reach each other (`hosts add --underlay ADDRESS`).
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="SERVER", nargs="+")
    parser.add_argument("--to", metavar="HOST", default="", help="the host, by URI or short name (default: the scheduler's choice)")
    options.add_operation(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service.moving import preview_migrate

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, preview_migrate(session, args.stack, args.paths, args.to), args, terminal)
