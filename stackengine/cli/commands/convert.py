"""Say a template in another language: types and properties become the native ones, which are the same in all three.

Parameters, conditions and references stay what they are. What the other language has no words for is an error, and the exit code is 3.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import INVALID, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("template", metavar="FILE", help="a HOT, CloudFormation or TOSCA file")
    parser.add_argument("--to", choices=("hot", "cfn", "tosca"), required=True, help="the language to say it in")
    parser.add_argument("--output", "-o", metavar="FILE", help="write to this file instead of printing")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Convert and print."""
    from pathlib import Path

    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.errors import UsageError
    from stackengine.cli.render import diagnostics as view
    from stackengine.service import templates

    with service.open(options.settings(args)) as session:
        text, found = templates.convert(session, requests.existing(args.template), args.to)
    if args.output and not found.errors:
        try:
            Path(args.output).write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"--output {args.output}: {error.strerror}") from None
    if terminal.json:
        terminal.document("conversion", {"file": args.template, "language": args.to, "text": text, "diagnostics": view.to_data(found)})
        return INVALID if found.errors else OK
    if len(found):
        terminal.say(view.render(found, style=terminal.err_style))
    if text and not found.errors and not args.output:
        terminal.data(text.rstrip("\n"))
    return INVALID if found.errors else OK
