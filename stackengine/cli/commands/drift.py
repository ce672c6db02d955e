"""Show what differs between a stack and its host: power, XML edited by hand, missing disks, changed networks, foreign leases.

Every object is read and compared property by property; only what we set counts, not what the host fills in, and nothing of
`ignore_changes`. What was seen is recorded, so that the next plan knows of it. The exit code is 4 when something differs; `repair` puts it right.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import CHANGES, FAILED, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Read and show."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render import drift as view
    from stackengine.service import drift

    stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        found = drift.look(session, stack)
    if terminal.json:
        terminal.document("drift", view.drift_data(found))
    else:
        terminal.data(view.render(found, terminal.style))
    return CHANGES if found.differences else FAILED if found.unreadable else OK
