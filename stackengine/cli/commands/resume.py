"""Finish an operation whose process is gone (killed, crashed, the machine rebooted), toward the revision that it aimed at; or a restore of a snapshot."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Resume and tell."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import snapshots, stacks

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        settled = snapshots.settle(session, args.stack)
        if settled:
            terminal.say(f"{args.stack}: {settled}")
            if session.store.active(stacks.show(session, args.stack).summary.id) is None:
                return OK
        return operations.watch_work(lambda watch: stacks.resume(session, args.stack, watch), args.stack, args, terminal, preview=None, policy="rollback")
