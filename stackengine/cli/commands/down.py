"""Delete a stack and everything that it made.

What a template says to retain is kept on the host and listed in the plan.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    options.add_operation(parser, on_failure=False)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import stacks

    stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, stacks.preview_down(session, stack), args, terminal)
