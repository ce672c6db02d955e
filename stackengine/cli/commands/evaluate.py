"""Show what a template says for given parameters: conditions, every resource that applies with its properties, dependencies, outputs.

Properties stand as the template's language has them, and beside them the native ones. Types that are not supported do not stop it.
The exit code is 3 when the template or its parameters have errors; what can be shown is shown all the same.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import INVALID, OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("template", metavar="FILE", help="a HOT, CloudFormation or TOSCA file")
    parser.add_argument("--name", help="the stack's name (default: from the template's file or folder name)")
    options.add_parameters(parser)
    parser.add_argument("--show-secrets", action="store_true", help="print sensitive values too")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Evaluate and show."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render import diagnostics as view
    from stackengine.cli.render import evaluation
    from stackengine.service import templates

    request = requests.of(args)
    with service.open(options.settings(args)) as session:
        template, explored, diagnostics = templates.explored(session, request)
    found = evaluation.data(template, explored, secrets=args.show_secrets) if template is not None and explored is not None else evaluation.NOTHING
    if terminal.json:
        terminal.document("evaluation", {"file": args.template, "valid": not diagnostics.errors, **found, "diagnostics": view.to_data(diagnostics)})
    else:
        if template is not None:
            terminal.data(evaluation.text(found))
        if len(diagnostics):
            terminal.say(view.render(diagnostics, style=terminal.err_style))
    return INVALID if diagnostics.errors else OK
