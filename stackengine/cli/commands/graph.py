"""Draw the dependencies of a stack, or of a template that is not up yet; nothing is touched.

An arrow goes from what is needed to what needs it; a dashed one waits until the other is ready, not only configured.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("subject", metavar="STACK|TEMPLATE", help="a stack's name, or a template file")
    parser.add_argument("--name", help="the stack's name, for a template")
    options.add_parameters(parser)
    options.add_inert(parser)
    options.add_format(parser, ("text", "dot", "mermaid", "svg", "json"))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Draw."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render import graph as graph_view
    from stackengine.cli.render.graph_svg import svg

    args.template = args.subject
    is_file = _names_a_file(args.subject)
    with service.open(options.settings(args)) as session:
        if is_file:
            from stackengine.service import templates

            request = requests.of(args)
            graph = graph_view.of_desired(request.name, templates.graph(session, request))
        else:
            from stackengine.service import stacks

            statuses = {r.path: r.status for r in stacks.show(session, args.subject).resources}
            graph = graph_view.of_desired(args.subject, stacks.graph(session, args.subject), statuses)
    match args.format:
        case "json":
            terminal.document("graph", graph_view.to_data(graph))
        case "dot":
            terminal.data(graph_view.dot(graph))
        case "mermaid":
            terminal.data(graph_view.mermaid(graph))
        case "svg":
            terminal.data(svg(graph))
        case _:
            terminal.data(graph_view.text(graph, terminal.style))
    return OK


def _names_a_file(subject: str) -> bool:
    """Whether a word can be no name of a stack, or is a file; one that is missing is told as a file."""
    path = Path(subject)
    return path.exists() or "/" in subject or path.suffix in (".yaml", ".yml", ".json", ".template", ".csar", ".zip")
