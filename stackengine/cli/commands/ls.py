"""List stacks: how they stand, where they are, at which revision."""

from __future__ import annotations

import argparse
import time

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--quiet", "-q", action="store_true", help="names only")
    options.add_project(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """List."""
    from stackengine import service
    from stackengine.cli.render import stacks as stacks_view
    from stackengine.service import stacks

    with service.open(options.settings(args)) as session:
        found = stacks.ls(session)
    if terminal.json:
        terminal.document("stacks", {"stacks": [stacks_view.summary_data(s) for s in found]})
    elif args.quiet:
        for summary in found:
            terminal.data(summary.name)
    elif not found:
        terminal.say("no stacks; `stack-run new` starts from the gallery")
    else:
        terminal.data(stacks_view.listing(found, time.time(), terminal.style))
    return OK
