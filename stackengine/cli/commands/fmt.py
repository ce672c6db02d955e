"""Bring templates into canonical order and indentation; comments stay, and what a template means never changes.

With --check nothing is written, and the exit code is 4 when a file is not in canonical form.
"""

from __future__ import annotations

import argparse

from stackengine.cli.exit_codes import CHANGES, INVALID, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="templates")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; end with 4 when something would change")
    mode.add_argument("--stdout", action="store_true", help="print the result instead of writing it")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Format and tell."""
    from stackengine.cli import requests
    from stackengine.cli.render import diagnostics as view
    from stackengine.formats.layout import Unformattable, laid_out
    from stackengine.model.diagnostics import Diagnostics
    from stackengine.service.sources import read_text

    found, changed, skipped = Diagnostics(), [], {}
    for name in args.files:
        path = requests.existing(name)
        text = read_text(path)
        try:
            result = laid_out(text, name, found)
        except Unformattable as error:
            skipped[name], result = str(error), text
        if result is None:
            continue
        if args.stdout and not terminal.json:
            terminal.data(result.rstrip("\n"))
        if result != text:
            changed.append(name)
            if not args.check and not args.stdout:
                path.write_text(result, "utf-8")
    for name, why in skipped.items():
        terminal.warn(f"{name} is left as it is: {why}")
    if terminal.json:
        members = {"changed": changed, "skipped": skipped, "written": not args.check and not args.stdout, "diagnostics": view.to_data(found)}
        terminal.document("layout", {"files": args.files, **members})
    elif len(found):
        terminal.say(view.render(found, style=terminal.err_style))
    elif not args.stdout:
        terminal.say("\n".join(f"{n}: {'not in canonical form' if args.check else 'written'}" for n in changed) or "nothing to change")
    return INVALID if found.errors else CHANGES if args.check and changed else OK
