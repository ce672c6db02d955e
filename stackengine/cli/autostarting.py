"""``hosts autostart``: what comes back after a reboot of the machine, and the systemd unit for it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--now", action="store_true", help="do it: start hosts, servers that are to run, and published ports (what the unit runs)")
    what.add_argument("--install", action="store_true", help="write the unit and enable it; of the user, or for root of the machine")
    what.add_argument("--remove", action="store_true", help="disable the unit and delete it")


def run(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the unit, or do what is asked."""
    from stackengine.service import revival

    if args.now:
        return _now(session, terminal)
    state = str(args.state or "")
    if args.install:
        file, enabled = revival.install(state)
        done = "enabled" if enabled else "systemd does not answer here: enable it by 'systemctl --user enable stackengine.service'"
        terminal.say(f"{file} is written; {done}")
        if enabled:
            terminal.note("a user's units start with the machine by: loginctl enable-linger")
    elif args.remove:
        terminal.say(f"{revival.remove()} is gone")
    elif terminal.json:
        terminal.document("unit", {"file": str(revival.unit_file()), "text": revival.unit(state)})
    else:
        terminal.data(revival.unit(state))
        terminal.note(f"for {revival.unit_file()}: --install writes it there")
    return OK


def _now(session: Session, terminal: Terminal) -> int:
    from stackengine.service import revival

    found = revival.revive(session)
    if terminal.json:
        stacks = [{"stack": r.stack, "host": r.host, "started": list(r.started), "problem": r.problem} for r in found]
        terminal.document("revival", {"stacks": stacks})
    else:
        for r in found:
            terminal.say(f"{r.stack} on {r.host}: {r.problem or ', '.join(r.started) or 'all is as it should be'}")
    return FAILED if any(r.problem for r in found) else OK
