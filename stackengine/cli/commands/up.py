"""Create a stack from a template, or update it: shows the plan, asks, carries it out.

The stack's name is --name, else the template's file name without endings; a file name that says nothing (stack, template, main, hot, cfn,
tosca, ...) gives way to its folder's: templates/three-tier/hot/stack.yaml gives three-tier.

Ctrl-C once cancels by the policy of --on-failure, twice stops now; `stack-run resume NAME` then goes on.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_request(parser)
    options.add_operation(parser)
    parser.add_argument("--overtake", action="store_true", help="end an operation that runs on the stack, and go on from where it stands")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations, requests, telling
    from stackengine.service import stacks

    request = requests.of(args)
    telling.warn_of_part(args, terminal)
    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, stacks.preview(session, request), args, terminal)
