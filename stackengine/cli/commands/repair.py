"""Bring a stack back to what its current revision says: reads every object, shows the plan, asks, carries it out."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    options.add_operation(parser, on_failure=False)
    options.add_allow(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Read, preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import drift

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, drift.preview_repair(session, args.stack), args, terminal)
