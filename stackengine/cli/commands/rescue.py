"""Let a server that does not start, or lets nobody in, run from a rescue image: its own disks are attached, and nothing of them is booted or mounted.

It keeps its name, addresses and keys; its user data is not run. The rescue image `tiny` mounts ext4 and vfat (`mount /dev/vda1 /mnt`). `unrescue` takes
it back to its own disks. This is a revision of the stack: `rollback` takes it back, too, and the next `up` goes by its template again.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("path", metavar="SERVER")
    parser.add_argument("--image", default="tiny", help="the rescue image: a name (`images ls`), a path or a URL (default: tiny)")
    options.add_operation(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations
    from stackengine.service.rescue import preview_rescue

    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, preview_rescue(session, args.stack, args.path, args.image), args, terminal)
