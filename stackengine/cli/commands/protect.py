"""Let nothing delete or replace some resources of a stack, or the stack itself.

A protection is recorded with the object, so it stays when its block leaves the template: a plan that would delete or replace a protected
object is refused (X202), and so is `down` of a protected stack (X204). `stackengine: {protect: true}` in a resource's metadata says the same.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="resources; none: the whole stack (`down` is refused)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Record it."""
    from stackengine import service
    from stackengine.cli import protecting

    with service.open(options.settings(args)) as session:
        return protecting.change(session, args.stack, args.paths, terminal, on=True)
