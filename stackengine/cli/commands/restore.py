"""Bring servers back to a snapshot: disks, and memory where a server is as it was then and is to run. What they wrote since is lost.

A server whose memory comes back goes on in the middle of what it did, with its clock set and its random numbers renewed by the guest's agent. One that
was changed since starts from the disks of the snapshot.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("snapshot", metavar="NAME", help="a snapshot of `snapshots STACK`")
    parser.add_argument("paths", metavar="SERVER", nargs="*", help="servers; none: all that are in it")
    parser.add_argument("--disks-only", action="store_true", help="start from the disks, whatever the memory was")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask, restore, tell."""
    from stackengine import service
    from stackengine.service import snapshots

    with service.open(options.settings(args)) as session:
        found = snapshots.find(session, args.stack, args.snapshot)
        names = ", ".join(args.paths or found.servers)
        if not args.yes and not terminal.ask(f"Bring {names} back to {found.name}? What they wrote since is lost."):
            return FAILED
        told = snapshots.restore(session, args.stack, args.snapshot, args.paths, disks_only=args.disks_only)
    if terminal.json:
        terminal.document("restored", {"stack": args.stack, "snapshot": found.name, "servers": list(args.paths or found.servers), "notes": told})
        return OK
    for path, said in told.items():
        terminal.warn(f"{path}: {said}")
    terminal.say(f"{args.stack}: {names} as in {found.name}")
    return OK
