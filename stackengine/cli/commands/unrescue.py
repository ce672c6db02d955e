"""Let a server that runs from a rescue image run from its own disks again; what the rescue system wrote to its own disk is gone."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("path", metavar="SERVER")
    options.add_operation(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service.rescue import preview_unrescue

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, preview_unrescue(session, args.stack, args.path), args, terminal)
