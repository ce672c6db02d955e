"""Copy a file into a server or out of it, by the guest agent: it needs no network, no SSH and no key.

    stack-run cp STACK page.html web:/srv/index.html
    stack-run cp STACK web:/var/log/messages .
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("source", metavar="FROM", help="a file, or SERVER:/PATH")
    parser.add_argument("target", metavar="TO", help="SERVER:/PATH, or a file or folder")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Copy."""
    from pathlib import Path, PurePosixPath

    from stackengine import service
    from stackengine.cli.errors import UsageError
    from stackengine.service import guests

    source, target = (word.partition(":/") for word in (args.source, args.target))
    if bool(source[1]) == bool(target[1]):
        raise UsageError("one of the two is SERVER:/PATH, the other a file here", hint=f"stack-run cp {args.stack} file web:/tmp/file")
    with service.open(options.settings(args)) as session:
        if target[1]:
            path = f"/{target[2]}"
            path += Path(args.source).name if path.endswith("/") else ""
            size = guests.put(session, args.stack, target[0], Path(args.source), path)
        else:
            here = Path(args.target)
            here = here / PurePosixPath(source[2]).name if here.is_dir() else here
            size = guests.get(session, args.stack, source[0], f"/{source[2]}", here)
    terminal.note(f"{size} bytes")
    return OK
