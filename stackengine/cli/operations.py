"""How commands carry a plan out: propose, ask, run it under a view with Ctrl-C as a request to cancel, tell how it ended."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from stackengine.cli import options, telling
from stackengine.cli.exit_codes import FAILED, INTERRUPTED, OK
from stackengine.cli.interrupts import Interrupts
from stackengine.cli.views import open_view
from stackengine.events import Event
from stackengine.service import stacks
from stackengine.service.types import OnFailure, OperationResult, Preview
from stackengine.service.webhooks import Telling

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.service import Session

Work = Callable[[Callable[[Event], None]], "OperationResult | None"]
POLICIES = {"rollback": "rollback", "keep": "keep", "delete": "rollback"}
"""What Ctrl-C asks for, by ``--on-failure``: nobody who interrupts wants a stack deleted that was there before."""


def carry_out(session: Session, preview: Preview, args: argparse.Namespace, terminal: Terminal) -> int:
    """Propose, carry out, tell; the exit code."""
    if not telling.propose(preview, args, terminal):
        return FAILED
    if args.detach:
        from stackengine.cli.detaching import detach

        return detach(session, preview, args, terminal)
    on_failure: OnFailure = getattr(args, "on_failure", "keep")

    def work(watch: Callable[[Event], None]) -> OperationResult | None:
        return stacks.carry_out(
            session, preview, on_failure=on_failure, keep_going=args.keep_going, timeout=args.timeout, watch=watch, allow=options.allowed(args),
            overtake=getattr(args, "overtake", False),
        )  # fmt: skip

    return watch_work(work, preview.stack, args, terminal, preview=preview, policy=POLICIES[on_failure])


def watch_work(work: Work, stack: str, args: argparse.Namespace, terminal: Terminal, *, preview: Preview | None, policy: str) -> int:
    """Run an operation under a view, with Ctrl-C as a request to cancel; tell how it ended."""
    view = open_view(terminal, stack, preview.plan if preview else None)
    with Interrupts(terminal, lambda: _cancel(stack, policy, args), policy, f"stack-run resume {stack}") as interrupts:
        with view, Telling(options.settings(args), stack):
            result = work(view.take)
        if result is None:
            telling.nothing(stack, terminal)
            return OK
        telling.conclude(stack, result, view, preview, terminal)
    if result.status == "complete":
        return OK
    return INTERRUPTED if interrupts.asked else FAILED


def _cancel(stack: str, policy: str, args: argparse.Namespace) -> None:
    """Through a session of its own: the operation's session is busy in another thread."""
    from stackengine import service

    with service.open(options.settings(args)) as session:
        stacks.cancel(session, stack, policy)
