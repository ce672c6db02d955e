"""Save a plan under an id, show it, carry it out later, or discard it.

A change set is carried out once, and only if the plan still says the same: when the stack, its host or a claim has moved since, it is
refused (X206) and a new one has to be made. `plan --save` and `plan --out FILE` make one, too; a FILE is taken where an ID is.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = verbs.add_parser("create", help="save what `up` would do")
    options.add_request(create)
    create.add_argument("--as", dest="label", metavar="LABEL", default="", help="a name for the change set")
    listed = verbs.add_parser("ls", help="list change sets, the newest first")
    listed.add_argument("stack", metavar="STACK", nargs="?", default="", help="only this stack's")
    for verb, line in (("show", "show the plan"), ("execute", "carry it out, if the ground has not moved"), ("discard", "take it out of use")):
        verbs.add_parser(verb, help=line).add_argument("id", metavar="ID", help="an id, the beginning of one, a name, or a file of `plan --out`")
    options.add_operation(verbs.choices["execute"])
    for sub in verbs.choices.values():
        options.add_common(sub, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service
    from stackengine.cli import saving

    with service.open(options.settings(args)) as session:
        match args.verb:
            case "create":
                return saving.create(session, args, terminal)
            case "ls":
                return _ls(session, args, terminal)
            case "execute":
                return _execute(session, args, terminal)
            case _:
                return _one(session, args, terminal)


def _ls(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    from stackengine.cli.render import change_sets as view

    found = session.store.change_sets.all(args.stack)
    if terminal.json:
        terminal.document("change_sets", {"change_sets": [view.summary_data(c) for c in found]})
    elif found:
        terminal.data(view.listing(found, time.time(), terminal.style))
    else:
        terminal.say("no change sets; `stack-run plan TEMPLATE --save` makes one")
    return OK


def _one(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """Show or discard."""
    from stackengine.cli.render import change_sets as view
    from stackengine.cli.render import plan as plan_view
    from stackengine.service import changes

    saved = changes.find(session, args.id)
    if args.verb == "discard":
        changes.discard(session, saved)
        saved = changes.find(session, saved.id)
    if terminal.json:
        terminal.document("change_set", view.data(saved))
    elif args.verb == "discard":
        terminal.say(f"{saved.id} is discarded")
    elif saved.status == "saved":
        terminal.data(plan_view.render(changes.preview_of(session, saved), terminal.style, explain=bool(args.verbose)))
    else:
        terminal.data(view.listing([saved], time.time(), terminal.style))
        terminal.say(saved.reason or f"{saved.id} is {saved.status}")
    return OK


def _execute(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    from stackengine.cli import operations, telling
    from stackengine.service import changes

    if args.detach:
        raise UsageError("a change set is carried out here", hint="up --detach goes on by itself")
    saved = changes.find(session, args.id)
    preview = changes.preview_of(session, saved)
    if not telling.propose(preview, args, terminal):
        return FAILED
    return operations.watch_work(
        lambda watch: changes.execute(
            session, saved, preview, on_failure=args.on_failure, keep_going=args.keep_going, timeout=args.timeout, watch=watch,
            allow=options.allowed(args),
        ),
        preview.stack, args, terminal, preview=preview, policy=operations.POLICIES[args.on_failure],
    )  # fmt: skip
