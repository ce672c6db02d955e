"""Show what `up` would do, and do nothing.

With --exit-code the exit code is 4 when there are changes and 0 when there are none.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import CHANGES, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_request(parser)
    parser.add_argument("--exit-code", action="store_true", help="end with 4 when there are changes")
    parser.add_argument("--explain", action="store_true", help="also say identities, gates, and why the order is as it is")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview and show."""
    from stackengine import service
    from stackengine.cli import requests, telling
    from stackengine.cli.render import plan as plan_view
    from stackengine.cli.render.plan_data import plan_data
    from stackengine.service import stacks

    request = requests.of(args)
    telling.warn_of_part(args, terminal)
    with service.open(options.settings(args)) as session:
        preview = stacks.preview(session, request)
    telling.introduce(preview, terminal)
    if terminal.json:
        terminal.document("plan", plan_data(preview))
    else:
        terminal.data(plan_view.render(preview, terminal.style, explain=args.explain or bool(args.verbose)))
    return CHANGES if args.exit_code and not preview.plan.empty else OK
