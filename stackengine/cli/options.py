"""Options that several commands share, and what they become."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stackengine.cli.errors import UsageError
from stackengine.model.duration import duration

if TYPE_CHECKING:
    from stackengine.service.types import Settings


def add_common(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """The options of every command; ``again``: on a sub-parser, where they must not undo what stood before the command."""
    group = parser.add_argument_group("common options")

    def add(*flags: str, default: Any = None, **kwargs: Any) -> None:
        group.add_argument(*flags, default=argparse.SUPPRESS if again else default, **kwargs)

    add("--state", metavar="PATH|URL", help="where state lives: a folder, a .db file or a database URL (default: the user's XDG state folder)")
    add("--host", metavar="URI", help="memory://, private://NAME or any libvirt URI (default: the stack's host, else private://default)")
    add("--remote", metavar="ssh://HOST", help="run it on the machine that owns hosts and state, and bring back what it says (default: STACKENGINE_REMOTE)")
    add("--types", metavar="DIR", action="append", help="one more folder of resource types; repeatable")
    add("-v", "--verbose", action="count", help="say more; -vv: every host call with its time")
    add("--log-file", metavar="FILE", help="write everything that -vv says to a file")
    add("--plain", action="store_true", default=False, help="no colours, nothing drawn over itself")
    if not any("--format" in a.option_strings for a in parser._actions):
        add_format(group, default=argparse.SUPPRESS if again else "human")


def add_format(parser: argparse._ActionsContainer, choices: Sequence[str] = ("human", "json"), default: Any = argparse.SUPPRESS) -> None:
    """``--format``, and ``--json`` for short; ``human`` (also where a command has another word for it) is what the root says."""
    parser.add_argument("--format", choices=choices, default=default, help=f"how to print the result (default: {choices[0]})")
    parser.add_argument("--json", dest="format", action="store_const", const="json", default=argparse.SUPPRESS, help="short for --format json")


def add_project(parser: argparse.ArgumentParser) -> None:
    """The project file, from which comes what the command line leaves open (``cli.project`` applies it before the command runs)."""
    group = parser.add_argument_group("project file")
    group.add_argument("--context", metavar="NAME", default="", help="the context of the project file that counts (default: STACKENGINE_CONTEXT, else its own)")
    group.add_argument("--project", metavar="FILE", default="", help="the project file (default: stackengine.yaml here or above)")
    parser.set_defaults(takes_project=True)


def add_stack(parser: argparse.ArgumentParser) -> None:
    """A stack that is there: said here, or the project file's (``cli.requests.stack_of``)."""
    parser.add_argument("stack", metavar="STACK", nargs="?", help="default: the project file's")
    add_project(parser)
    parser.set_defaults(name="", template="")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """What a template is evaluated with."""
    parser.add_argument("--param", "-P", metavar="K=V", action="append", default=[], help="a parameter's value; repeatable, wins over files")
    parser.add_argument("--param-file", metavar="FILE", action="append", default=[], help="parameters from a YAML or JSON file; repeatable")
    parser.add_argument("--environment", "-e", metavar="FILE", action="append", default=[], help="a Heat environment file; repeatable")


def add_remap(parser: argparse.ArgumentParser) -> None:
    """What becomes of ranges that others have."""
    text = "where somebody else has an address range that the template names, take a free one, if nothing else in the template depends on it"
    parser.add_argument("--remap-cidr", dest="remap_cidr", action="store_true", help=text)


def add_inert(parser: argparse.ArgumentParser) -> None:
    """What becomes of types that are not supported."""
    parser.add_argument("--accept-inert", action="store_true", help="record resources of types that are not supported, without making anything")


def add_request(parser: argparse.ArgumentParser) -> None:
    """What ``up`` and ``plan`` are asked for."""
    parser.add_argument("template", metavar="TEMPLATE", nargs="?", help="a HOT, CloudFormation or TOSCA file (default: the project file's)")
    parser.add_argument("--name", help="the stack's name (default: from the template's file or folder name)")
    add_parameters(parser)
    parser.add_argument("--target", metavar="PATH", action="append", default=[], help="only this resource and what it depends on; repeatable")
    parser.add_argument("--replace", metavar="PATH", action="append", default=[], help="give this resource a new generation even if nothing changed")
    parser.add_argument("--upgrade-images", action="store_true", help="take images as their addresses show them now, whatever stack.lock pins")
    add_inert(parser)
    add_remap(parser)
    add_project(parser)
    parser.add_argument("--override-policy", metavar="FILE", help="a stack policy that counts this once in place of the stack's own")


def add_operation(parser: argparse.ArgumentParser, *, on_failure: bool = True) -> None:
    """How an operation is carried out."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    if on_failure:
        parser.add_argument(
            "--on-failure",
            choices=("rollback", "keep", "delete"),
            default="rollback",
            help="when an action fails: take everything back (default), keep what is there, or delete the stack",
        )
        add_allow(parser)
    parser.add_argument("--detach", action="store_true", help="go on in a process of its own; `wait` waits for it")
    parser.add_argument("--keep-going", action="store_true", help="after a failure go on with what does not depend on it")
    parser.add_argument("--timeout", metavar="TIME", type=seconds, help="for the whole operation: seconds, or 90s, 30m, 2h")


def add_allow(parser: argparse.ArgumentParser) -> None:
    """What ``--yes`` alone does not do."""
    parser.add_argument(
        "--allow",
        metavar="WHAT",
        action="append",
        default=[],
        help="with --yes: also what loses data: replace, delete, or the path of a server or volume; repeatable, or with commas",
    )


def allowed(args: argparse.Namespace) -> tuple[str, ...] | None:
    """What may be lost: with ``--yes`` only what ``--allow`` says, else all that the person who is asked agrees to (None)."""
    return tuple(word for given in getattr(args, "allow", ()) for word in given.split(",") if word) if args.yes else None


def seconds(text: str) -> float:
    """A time in seconds (``model.duration``)."""
    value = duration(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no time: say seconds, or 90s, 30m, 2h, 3d")
    return value


def settings(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """Where state lives and which host is used: flags first, then STACKENGINE_* variables."""
    from pathlib import Path

    from stackengine.service.types import Settings

    folders = tuple(Path(d) for d in args.types or ())
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--types {folder}: no such folder", hint="a folder of resource types, each a folder of its own with schema.json and handler.py")
    return Settings(
        state=args.state if args.state is not None else environ.get("STACKENGINE_STATE", ""),
        host=args.host if args.host is not None else environ.get("STACKENGINE_HOST", ""),
        types=folders,
    )
