"""Take a domain, volume or network that is on a host over into a stack, under a logical id of a template.

    stack-run import TEMPLATE PATH ID --name shop

ID is a domain's or network's name or UUID, or a volume's name. The object must be what the template says, property by property, or the
import is refused (X207): it is never changed by being imported, except that it learns whose it is. Everything else of the template comes up as well.
"""

# ruff: noqa: N999  (a command lives in the module of its name)
from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("template", metavar="TEMPLATE")
    parser.add_argument("path", metavar="PATH", help="the resource of the template that it will be")
    parser.add_argument("id", metavar="ID", help="name or UUID on the host")
    parser.add_argument("--name", help="the stack's name (default: from the template's file or folder name)")
    options.add_parameters(parser)
    options.add_operation(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Preview, propose, carry out."""
    from stackengine import service
    from stackengine.cli import operations, requests
    from stackengine.service import adopt

    request = requests.of(args)
    with service.open(options.settings(args)) as session:
        return operations.carry_out(session, adopt.preview_import(session, request, args.path, args.id), args, terminal)
