"""Take domains, volumes and networks that are on a host over into a stack, under logical ids of a template.

    stack-run import TEMPLATE PATH ID [PATH ID …] --name shop
    stack-run import --write-template [OBJECT …] [--to hot|cfn|tosca] [--output FILE]

ID is a domain's or network's name or UUID, or a volume's name. Each object must be what the template says, property by property, or the
import is refused (X207): it is never changed by being imported, except that it learns whose it is, and a network the names and addresses of
the stack's servers on it. Everything else of the template comes up as well.

--write-template makes such a template of the objects that are named, or of every domain that belongs to no stack, with the networks and
volumes that they use, and says how to import it. What cannot be taken over stands in it as external: it is used, and stays as it is.
"""

# ruff: noqa: N999  (a command lives in the module of its name)
from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("template", metavar="TEMPLATE", nargs="?")
    parser.add_argument("pairs", metavar="PATH ID", nargs="*", help="a resource of the template, and the name or UUID of what it will be; repeatable")
    parser.add_argument("--write-template", metavar="OBJECT", nargs="*", help="write a template of what is on the host, instead of importing")
    parser.add_argument("--to", choices=("hot", "cfn", "tosca"), default="hot", help="its language (default: hot)")
    parser.add_argument("--output", "-o", metavar="FILE", help="write it to this file instead of printing")
    parser.add_argument("--name", help="the stack's name (default: from the template's file or folder name)")
    options.add_parameters(parser)
    options.add_operation(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out; or write a template."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.cli.errors import UsageError
    from stackengine.service import adopt

    if args.write_template is not None:
        return _write(args, terminal)
    if args.template is None or not args.pairs or len(args.pairs) % 2:
        raise UsageError("import needs a template, and for each object a PATH and an ID", hint="stack-run import TEMPLATE PATH ID")
    pairs = list(zip(args.pairs[::2], args.pairs[1::2], strict=True))
    request = requests.of(args)
    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, adopt.preview_import(session, request, pairs), args, terminal)


def _write(args: argparse.Namespace, terminal: Terminal) -> int:
    from pathlib import Path

    from stackengine import service
    from stackengine.cli.errors import UsageError
    from stackengine.service import drafts

    if args.template is not None:
        raise UsageError("--write-template takes no template", hint="the objects to write come after it: --write-template web db")
    with service.open(options.settings(args)) as session:
        written = drafts.write_template(session, args.write_template, args.to)
    if args.output:
        try:
            Path(args.output).write_text(written.text, "utf-8")
        except OSError as error:
            raise UsageError(f"--output {args.output}: {error.strerror}") from None
    if terminal.json:
        terminal.document("draft", {
            "host": written.host, "language": written.language, "text": written.text,
            "imports": [{"path": p, "id": i} for p, i in written.imports],
            "external": [{"path": p, "id": i, "why": w} for p, i, w in written.external],
        })  # fmt: skip
        return OK
    if not args.output:
        terminal.data(written.text.rstrip("\n"))
    for path, id_, why in written.external:
        terminal.say(f"{path} ({id_}) is only used, not taken over: {why}")
    if written.imports:
        words = " ".join(f"{p} {i}" for p, i in written.imports)
        terminal.say(f"To take it over: stack-run import {args.output or 'FILE'} {words} --host {written.host}")
    return OK
