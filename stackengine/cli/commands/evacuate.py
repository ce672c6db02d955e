"""Make again elsewhere what stacks had on a host that is dead: servers from their images, networks with their addresses.

A server must never run twice. A private host is ended by this command, if it is not already, so nothing of it runs any more. Of any other host
this machine cannot know that: say --host-is-dead when you have seen to it (it is off, or cut off from disks and networks), and it is refused while
the host still answers. What disks on that host held is lost; the plan names them. When the host comes back, `stack-run hosts uncordon` takes away
what was evacuated from it.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("dead", metavar="HOST", help="URI, or short name of a host of the inventory")
    parser.add_argument("--host-is-dead", action="store_true", help="nothing on it runs any more, and nothing will: I have seen to it")
    options.add_operation(parser, on_failure=False)
    options.add_allow(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Fence, then one plan for each stack; the first exit code that is not 0 ends it."""
    from stackengine import service
    from stackengine.cli.leaving import leave
    from stackengine.service import fencing, inventory

    with service.open(options.settings(args)) as session:
        uri = fencing.fence(session, args.dead, said_dead=args.host_is_dead)
        return leave(session, uri, inventory.stacks_on(session, uri), args, terminal)
