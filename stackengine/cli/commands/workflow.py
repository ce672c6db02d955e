"""Run an imperative workflow of a TOSCA template on its stack, or list the workflows that it has.

The stack must be as the template says, so give the same parameters as to `up`; inputs of the workflow are given with --param, too. Its steps run
in the guests of their targets, in their order; where one fails, its on_failure steps run, and the exit code is 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.model.template import Procedure


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("template", metavar="TEMPLATE", help="the stack's TOSCA file")
    parser.add_argument("workflow", metavar="NAME", nargs="?", help="the workflow (left out: lists them)")
    parser.add_argument("--name", help="the stack's name (default: from the template's file or folder name)")
    options.add_parameters(parser)
    options.add_inert(parser)
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--timeout", metavar="TIME", type=options.seconds, help="for the whole run: seconds, or 90s, 30m, 2h")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out; then what is to be done where it failed; then nothing of it is left."""
    from dataclasses import replace

    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import procedures, stacks

    args.allow, args.detach, args.keep_going = [], False, False
    request = replace(requests.of(args), workflow=args.workflow or "")
    with service.open(options.settings(args)) as session:
        if not args.workflow:
            return _listed(procedures.procedures(session, request), terminal)
        code = operations.carry_out(session, procedures.preview(session, request), args, terminal)
        if code != OK:
            recovery = procedures.recovery(session, request)
            if recovery is not None:
                terminal.say(f"{args.workflow} failed; its steps for that:")
                operations.carry_out(session, recovery, args, terminal)
        left = procedures.cleared(session, request)
        if left is not None:
            stacks.carry_out(session, left, on_failure="keep")
        return code


def _listed(found: Mapping[str, Procedure], terminal: Terminal) -> int:
    """The workflows of a template, and which can be run."""
    known = [(name, procedure.refusal) for name, procedure in found.items()]
    if terminal.json:
        terminal.document("workflows", {"workflows": [{"name": n, "runnable": not r, "reason": r} for n, r in known]})
    elif known:
        terminal.data("\n".join(f"{n}  cannot be run: {r}" if r else n for n, r in known))
    else:
        terminal.say("the template has no workflows")
    return OK
