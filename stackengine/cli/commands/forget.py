"""Let an object go without touching it: it stays on its host as it is, and belongs to no stack any more."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("path", metavar="PATH")
    options.add_operation(parser, on_failure=False)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service import adopt

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, adopt.preview_forget(session, args.stack, args.path), args, terminal)
