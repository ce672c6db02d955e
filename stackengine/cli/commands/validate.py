"""Check templates: everything that is wrong, in one run, with its place and a hint. Nothing is touched.

The exit code is 3 when there are errors.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import INVALID, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="templates")
    options.add_parameters(parser)
    options.add_inert(parser)
    parser.add_argument("--strict", action="store_true", help="warnings are errors: what is only accepted, though no specification says so")
    options.add_format(parser, ("human", "json", "sarif"))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Check and tell."""
    import json

    from stackengine import service
    from stackengine.cli import parameters, requests
    from stackengine.cli.render import diagnostics as view
    from stackengine.cli.render.sarif import sarif
    from stackengine.service import templates

    paths = [requests.path_of(f) for f in args.files]
    environments = [requests.existing(e) for e in args.environment]
    with service.open(options.settings(args)) as session:
        given = parameters.given(args.param_file, args.param)
        found = templates.validate(session, paths, given, environments, accept_inert=args.accept_inert, strict=args.strict)
    match args.format:
        case "json":
            terminal.document("diagnostics", {"files": args.files, "valid": not found.errors, "diagnostics": view.to_data(found)})
        case "sarif":
            terminal.data(json.dumps(sarif(found), ensure_ascii=False, indent=2))
        case _ if len(found):
            terminal.data(view.render(found, style=terminal.style))
        case _:
            terminal.say(f"{', '.join(args.files)}: no errors")
    return INVALID if found.errors else OK
