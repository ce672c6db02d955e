"""List resource types, or describe one: properties, how a change of each is applied, attributes, names in the three languages."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="SE::Server, or a foreign name (OS::Nova::Server, AWS::EC2::Instance, tosca.nodes.Compute)")
    parser.add_argument("--editor-schema", choices=("hot", "cfn", "tosca"), help="print the JSON Schema of templates in this language, for editors")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """List, or describe."""
    from stackengine import registry
    from stackengine.cli.render import types as types_view
    from stackengine.model.diagnostics import did_you_mean

    known = registry.load(options.settings(args).types)
    if args.editor_schema is not None:
        import json

        from stackengine.cli.render.editor_schema import editor_schema

        terminal.data(json.dumps(editor_schema(args.editor_schema, known), ensure_ascii=False, indent=1))
        return OK
    if args.name is None:
        if terminal.json:
            terminal.document("types", {"types": [types_view.summary_data(t, known) for t in known.types.values()]})
        else:
            terminal.data(types_view.listing(known, terminal.style))
        return OK
    dialect = known.dialect(args.name)
    found = known.get(dialect.native if dialect else args.name)
    if found is None:
        raise UsageError(f"no resource type '{args.name}'", hint=did_you_mean(args.name, known.known_names()) or "stack-run types lists them")
    if terminal.json:
        terminal.document("type", types_view.type_data(found, known))
    else:
        terminal.data(types_view.page(found, known, terminal.style))
    return OK
