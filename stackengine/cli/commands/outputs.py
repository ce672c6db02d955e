"""Show a stack's outputs, or one of them as a bare value for scripts; sensitive ones only with --show-secrets."""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("name", metavar="NAME", nargs="?", help="one output: prints the bare value")
    parser.add_argument("--show-secrets", action="store_true", help="print sensitive values too")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print all, or one."""
    from stackengine import service
    from stackengine.cli.render import outputs as outputs_view
    from stackengine.cli.render.values import bare
    from stackengine.model.diagnostics import did_you_mean
    from stackengine.model.values import reveal
    from stackengine.service import stacks

    with service.open(options.settings(args)) as session:
        outputs = stacks.outputs(session, args.stack, show_secrets=args.show_secrets)
    if args.name is not None and args.name not in outputs:
        raise UsageError(f"{args.stack} has no output '{args.name}'", hint=did_you_mean(args.name, outputs) or f"it has: {', '.join(outputs) or 'none'}")
    if args.name is not None:
        value, _, sensitive = outputs_view.unwrap(outputs[args.name])
        if sensitive and not args.show_secrets:
            raise UsageError(f"output '{args.name}' is sensitive", hint="say --show-secrets to print it")
        if terminal.json:
            terminal.document("output", {"stack": args.stack, "name": args.name, **outputs_view.outputs_data(outputs, secrets=args.show_secrets)[args.name]})
        else:
            terminal.data(bare(reveal(value)))
    elif terminal.json:
        terminal.document("outputs", {"stack": args.stack, "outputs": outputs_view.outputs_data(outputs, secrets=args.show_secrets)})
    elif outputs:
        terminal.data(outputs_view.outputs_lines(outputs, terminal.style, secrets=args.show_secrets))
    else:
        terminal.say(f"{args.stack} has no outputs")
    return OK
