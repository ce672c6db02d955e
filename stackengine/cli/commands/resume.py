"""Finish an operation whose process is gone (killed, crashed, the machine rebooted), toward the revision that it aimed at."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Resume and tell."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service import stacks

    with service.open(options.settings(args)) as session:
        return operations.watch_work(lambda watch: stacks.resume(session, args.stack, watch), args.stack, args, terminal, preview=None, policy="rollback")
