"""Tell others what happens to a stack: each event is posted as JSON, in order, at least once.

Events are delivered while an operation runs; what could not be delivered is tried again with the next operation, or by `webhook deliver`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.store.webhooks import WebhookRow


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="post a stack's events to an address from now on")
    add.add_argument("stack", metavar="STACK")
    add.add_argument("url", metavar="URL", help="http or https")
    add.add_argument("--only", metavar="KIND", action="append", default=[], help="only kinds that begin so (operation., action.failed); repeatable")
    add.add_argument("--since", metavar="N", type=int, help="also what happened after event number N")
    for verb, line in (("ls", "list a stack's webhooks"), ("deliver", "post what is due now")):
        verbs.add_parser(verb, help=line).add_argument("stack", metavar="STACK")
    remove = verbs.add_parser("rm", help="remove a webhook")
    remove.add_argument("id", metavar="ID")
    for sub in verbs.choices.values():
        options.add_common(sub, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service
    from stackengine.service import prepare, webhooks

    with service.open(options.settings(args)) as session:
        match args.verb:
            case "add":
                _show([webhooks.add(session, args.stack, args.url, args.only, since=args.since)], terminal)
            case "rm":
                if not session.store.webhooks.remove(args.id):
                    raise UsageError(f"there is no webhook {args.id}", hint="stack-run webhook ls STACK")
                _show([], terminal)
            case "deliver":
                row = prepare.find_stack(session, args.stack)
                failed = webhooks.deliver(session, row)
                _show(session.store.webhooks.of(row.id), terminal)
                return FAILED if failed else OK
            case _:
                _show(session.store.webhooks.of(prepare.find_stack(session, args.stack).id), terminal)
    return OK


def _show(found: list[WebhookRow], terminal: Terminal) -> None:
    if terminal.json:
        terminal.document("webhooks", {"webhooks": [_data(w) for w in found]})
    for hook in () if terminal.json else found:
        trouble = f"  {hook.failures} failures, the last: {hook.last_error}" if hook.failures else ""
        terminal.data(f"{hook.id}  {hook.url}  up to event {hook.cursor}{trouble}")


def _data(hook: WebhookRow) -> dict[str, Any]:
    return {"id": hook.id, "url": hook.url, "kinds": hook.kinds, "cursor": hook.cursor, "failures": hook.failures, "last_error": hook.last_error}
