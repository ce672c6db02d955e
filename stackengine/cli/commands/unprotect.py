"""Lift a protection of resources, or of the stack itself."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="resources; none: the whole stack itself")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Record it."""
    from stackengine import service
    from stackengine.cli import protecting

    with service.open(options.settings(args)) as session:
        return protecting.change(session, args.stack, args.paths, terminal, on=False)
