"""What the commands that turn servers on and off have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from stackengine.cli import options
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service.power import Power


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="SERVER", nargs="*", help="servers; none: all of the stack")
    options.add_operation(parser, on_failure=False)
    options.add_allow(parser)


def turning(power: Power) -> Callable[[argparse.Namespace, Terminal], int]:
    """A command that previews the revision with this power, proposes it and carries it out."""

    def run(args: argparse.Namespace, terminal: Terminal) -> int:
        from stackengine import service
        from stackengine.cli import operations
        from stackengine.service.power import preview_power

        with service.open(options.settings(args)) as session:
            return operations.carry_out(session, preview_power(session, args.stack, args.paths, power), args, terminal)

    return run
