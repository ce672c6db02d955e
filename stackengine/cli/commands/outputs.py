"""Show a stack's outputs, or one of them as a bare value for scripts; sensitive ones only with --show-secrets.

--format writes them, or the stack's servers, for other programs: dotenv and github (outputs), hosts, ssh-config and ansible (servers).
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal

FORMATS = ("human", "json", "dotenv", "github", "hosts", "ssh-config", "ansible")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_stack(parser)
    parser.add_argument("output", metavar="NAME", nargs="?", help="one output: prints the bare value")
    parser.add_argument("--show-secrets", action="store_true", help="print sensitive values too")
    options.add_format(parser, FORMATS)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print all, or one."""
    from stackengine import service
    from stackengine.cli import requests
    from stackengine.cli.render import outputs as outputs_view
    from stackengine.cli.render.values import bare
    from stackengine.model.diagnostics import did_you_mean
    from stackengine.model.values import reveal, unknowns
    from stackengine.service import stacks
    from stackengine.service.types import ServiceError

    args.stack = requests.stack_of(args)
    if args.format not in ("human", "json"):
        return _written(args, terminal)
    with service.open(options.settings(args)) as session:
        outputs = stacks.outputs(session, args.stack, show_secrets=args.show_secrets)
    if args.output is not None and args.output not in outputs:
        raise UsageError(f"{args.stack} has no output '{args.output}'", hint=did_you_mean(args.output, outputs) or f"it has: {', '.join(outputs) or 'none'}")
    if args.output is not None:
        value, _, sensitive = outputs_view.unwrap(outputs[args.output])
        if (missing := [u.describe() for u in unknowns(value)]) and not terminal.json:
            raise ServiceError(f"output '{args.output}' is not known: {', '.join(missing)}", hint=f"see 'stack-run show {args.stack}'")
        if sensitive and not args.show_secrets:
            raise UsageError(f"output '{args.output}' is sensitive", hint="say --show-secrets to print it")
        if terminal.json:
            found = outputs_view.outputs_data(outputs, secrets=args.show_secrets)[args.output]
            terminal.document("output", {"stack": args.stack, "name": args.output, **found})
        else:
            terminal.data(bare(reveal(value)))
    elif terminal.json:
        terminal.document("outputs", {"stack": args.stack, "outputs": outputs_view.outputs_data(outputs, secrets=args.show_secrets)})
    elif outputs:
        terminal.data(outputs_view.outputs_lines(outputs, terminal.style, secrets=args.show_secrets))
    else:
        terminal.say(f"{args.stack} has no outputs")
    return OK


def _written(args: argparse.Namespace, terminal: Terminal) -> int:
    """For other programs."""
    import sys

    from stackengine import service
    from stackengine.cli.render import output_forms as forms
    from stackengine.service import ssh, stacks

    with service.open(options.settings(args)) as session:
        if args.format in forms.OF_OUTPUTS:
            found = stacks.outputs(session, args.stack, show_secrets=args.show_secrets)
            terminal.data(forms.OF_OUTPUTS[args.format](args.stack, found, secret_too=args.show_secrets))
            return OK
        logins = ssh.logins(session, args.stack)
    if args.format == "hosts":
        terminal.data(forms.hosts(args.stack, logins))
        return OK
    command = [sys.executable, "-m", "stackengine.cli.main", *(["--state", str(args.state)] if args.state else [])]
    terminal.data((forms.ansible if args.format == "ansible" else forms.ssh_config)(args.stack, logins, command))
    return OK
