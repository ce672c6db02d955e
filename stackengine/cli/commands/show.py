"""Show one stack: how it stands, its resources, parameters, outputs and revisions; or, with --config, which settings count here."""

from __future__ import annotations

import argparse
import time

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument("path", metavar="PATH", nargs="?", help="one resource, with its properties and attributes")
    parser.add_argument("--config", action="store_true", dest="config_wanted", help="show the settings that count here, and where each was said")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Show."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.errors import UsageError
    from stackengine.cli.render import stacks as stacks_view
    from stackengine.model.diagnostics import did_you_mean
    from stackengine.service import stacks

    if args.config_wanted:
        return _show_config(args, terminal)
    stack = requests.stack_of(args)
    with service.open(options.settings(args)) as session:
        view = stacks.show(session, stack)
    if args.path is not None:
        found = [r for r in view.resources if r.path == args.path]
        if not found:
            raise UsageError(f"{stack} has no resource '{args.path}'", hint=did_you_mean(args.path, [r.path for r in view.resources]))
        if terminal.json:
            terminal.document("resource", {"stack": stack, **stacks_view.resource_data(found[0])})
        else:
            terminal.data("\n\n".join(stacks_view.resource(r, terminal.style) for r in found))
    elif terminal.json:
        terminal.document("stack", stacks_view.stack_data(view))
    else:
        terminal.data(stacks_view.whole(view, time.time(), terminal.style))
    return OK


def _show_config(args: argparse.Namespace, terminal: Terminal) -> int:
    """Every setting with its source."""
    from stackengine.cli.render import config as config_view

    if terminal.json:
        terminal.document("config", {"settings": [config_view.data(s) for s in args.config]})
    else:
        terminal.data(config_view.listing(args.config, terminal.style))
    return OK
