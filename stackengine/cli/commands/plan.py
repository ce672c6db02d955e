"""Show what `up` would do, or with --rollback-of what `rollback` would do, and do nothing.

With --exit-code the exit code is 4 when there are changes and 0 when there are none.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import CHANGES, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_request(parser)
    parser.add_argument("--rollback-of", metavar="STACK", help="show what `rollback STACK` would do, in place of a template")
    parser.add_argument("--to", metavar="N", type=int, help="with --rollback-of: the revision")
    parser.add_argument("--save", action="store_true", help="keep the plan as a change set, to be carried out by `changeset execute`")
    parser.add_argument("--out", metavar="FILE", help="as --save, and write it to FILE, which `changeset execute` takes")
    parser.add_argument("--exit-code", action="store_true", help="end with 4 when there are changes")
    parser.add_argument("--explain", action="store_true", help="also say identities, gates, and why the order is as it is")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview and show."""
    from stackengine import service
    from stackengine.cli import requests, saving, telling
    from stackengine.cli.render import change_sets as view
    from stackengine.cli.render import plan as plan_view
    from stackengine.cli.render.plan_data import plan_data
    from stackengine.service import stacks

    if args.rollback_of is not None and any(s.key == "template" and s.source == "TEMPLATE" for s in args.config):
        raise UsageError("say a template, or --rollback-of STACK", hint="stack-run plan --help")
    telling.warn_of_part(args, terminal)
    with service.open(options.settings(args)) as session:
        preview = stacks.preview_rollback(session, args.rollback_of, args.to) if args.rollback_of else stacks.preview(session, requests.of(args))
        saved = saving.save(session, preview, file=args.out) if args.save or args.out else None
    telling.introduce(preview, terminal)
    if terminal.json and saved is not None:
        terminal.document("change_set", view.data(saved))
    elif terminal.json:
        terminal.document("plan", plan_data(preview))
    else:
        terminal.data(plan_view.render(preview, terminal.style, explain=args.explain or bool(args.verbose)))
    if saved is not None:
        saving.tell(saved, terminal)
    return CHANGES if args.exit_code and not preview.plan.empty else OK
