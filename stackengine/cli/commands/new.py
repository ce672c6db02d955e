"""Start from a template of the gallery: copies it into the present folder. Without NAME: list the gallery."""

from __future__ import annotations

import argparse
from pathlib import Path

from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="an example of the gallery")
    parser.add_argument("destination", metavar="FOLDER", nargs="?", help="where to put it (default: ./NAME)")
    parser.add_argument("--language", choices=("hot", "cfn", "tosca"), default="hot", help="default: hot")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """List, or copy."""
    from stackengine.service import templates

    if args.name is None:
        gallery = templates.gallery()
        if terminal.json:
            terminal.document("gallery", {"templates": [{"name": n, "folder": str(p)} for n, p in gallery.items()]})
        else:
            for name in gallery:
                terminal.data(name)
        return OK
    destination = Path(args.destination or args.name)
    made = templates.new(args.name, args.language, destination)
    if terminal.json:
        terminal.document("new", {"name": args.name, "language": args.language, "file": str(made)})
    else:
        terminal.data(str(made))
        terminal.say(f"next: stack-run plan {made}")
    return OK
