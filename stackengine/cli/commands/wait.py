"""Wait until no operation runs on a stack, and say how the last one ended.

The exit code is 0 when it is complete, 1 when it failed, was rolled back or interrupted, or when --timeout is over.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument("--timeout", metavar="TIME", type=options.seconds, help="seconds, or 90s, 30m, 2h (default: as long as it takes)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Wait and tell."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.service import stacks

    args.stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        ended = stacks.wait(session, args.stack, args.timeout)
    if terminal.json:
        terminal.document("wait", {"stack": args.stack, **ended})
    else:
        said = f"{args.stack}: {ended['state']}" + (f" ({ended['operation_kind']} {ended['status']})" if ended["status"] else "")
        terminal.say(said + (f": {ended['reason']}" if ended["reason"] else ""))
    return OK if ended["state"] in ("complete", "deleted") or ended["status"] == "complete" else FAILED
