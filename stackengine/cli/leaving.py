"""Stacks leave a host: one plan after the other, each shown and agreed to."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stackengine.cli import operations
from stackengine.cli.exit_codes import OK
from stackengine.service.moving import preview_drain, preview_leave

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.service import Session


def leave(session: Session, uri: str, stacks: Sequence[str], args: argparse.Namespace, terminal: Terminal) -> int:
    """Everything that these stacks have on a host goes elsewhere."""
    for name in stacks:
        code = operations.carry_out(session, preview_leave(session, name, uri), args, terminal)
        if code != OK:
            return code
    _tell(uri, stacks, terminal)
    return OK


def drain(session: Session, uri: str, stacks: Sequence[str], args: argparse.Namespace, terminal: Terminal) -> int:
    """Servers first, as they run and with their networks where they are; then the networks."""
    for name in stacks:
        for preview in (preview_drain, preview_leave):
            found = preview(session, name, uri)
            code = operations.carry_out(session, found, args, terminal) if not found.plan.empty or found.host != uri else OK
            if code != OK:
                return code
    _tell(uri, stacks, terminal)
    return OK


def _tell(uri: str, stacks: Sequence[str], terminal: Terminal) -> None:
    terminal.say(f"{', '.join(stacks)} left {uri}" if stacks else f"nothing is on {uri}")
