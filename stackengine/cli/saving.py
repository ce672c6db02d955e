"""Saving a plan: ``changeset create``, ``plan --save`` and ``plan --out``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.cli import requests, telling
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import OK
from stackengine.cli.render import change_sets as view
from stackengine.cli.render import plan as plan_view
from stackengine.cli.render.plan_data import plan_data
from stackengine.cli.terminal import FORMAT_VERSION
from stackengine.service import changes, stacks
from stackengine.service.types import Preview
from stackengine.store.changes import ChangeSetRow

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.service import Session


def create(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """Plan, show, save."""
    telling.warn_of_part(args, terminal)
    preview = stacks.preview(session, requests.of(args))
    telling.introduce(preview, terminal)
    if not terminal.json:
        terminal.say(plan_view.render(preview, terminal.err_style, explain=bool(args.verbose)))
    saved = save(session, preview, args.label)
    if terminal.json:
        terminal.document("change_set", view.data(saved))
    else:
        terminal.data(saved.id)
        tell(saved, terminal)
    return OK


def save(session: Session, preview: Preview, label: str = "", file: str | None = None) -> ChangeSetRow:
    """Save a preview; ``file`` gets the change set as JSON (its id and the plan, no secrets)."""
    saved = changes.create(session, preview, plan_data(preview), label)
    if file is not None:
        try:
            text = json.dumps({"format_version": FORMAT_VERSION, "kind": "change_set", **view.data(saved)}, ensure_ascii=False, indent=2)
            Path(file).write_text(text + "\n", "utf-8")
        except OSError as error:
            changes.discard(session, saved)
            raise UsageError(f"--out {file}: {error.strerror}") from None
    return saved


def tell(saved: ChangeSetRow, terminal: Terminal) -> None:
    """What to do with it."""
    terminal.say(f"saved as {saved.id}; next: stack-run changeset execute {saved.id}")
