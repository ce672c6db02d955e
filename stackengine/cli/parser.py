"""The argument parser; only the named command's module is imported."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from stackengine import __version__
from stackengine.cli import options
from stackengine.cli.commands import COMMANDS

EPILOG = """\
exit codes:
  0 ok · 1 failed · 2 wrong use: also what is named is not there, or a confirmation is needed and there is no terminal
  3 invalid template · 4 changes present (plan --exit-code), drift, or layout (fmt --check)
  130 interrupted; `ssh` and `exec` with `-- CMD`, and `env run`, give CMD's code (125: our own failure)

environment:
  STACKENGINE_STATE     as --state
  STACKENGINE_HOST      as --host
  STACKENGINE_REMOTE    as --remote; STACKENGINE_SSH_KEY and STACKENGINE_KNOWN_HOSTS: contents or files, for jobs without a home folder
  STACKENGINE_CONTEXT   as --context
  STACKENGINE_PARAM_k   a value for the parameter k, where the template declares it
  NO_COLOR              no colours; TERM=dumb: also no live view
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Descriptions as they are written, and room for long options beside their meaning."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog, max_help_position=34, **kwargs)


class Parser(argparse.ArgumentParser):
    """Without abbreviations: a new option must never change what an old command line means."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **kwargs)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """A word that is none of those that there are: the nearest one is named, of a few all."""
        if action.choices is None or value in action.choices:
            return
        from stackengine.model.diagnostics import did_you_mean

        known = [str(c) for c in action.choices]
        near = did_you_mean(str(value), known)
        others = f"one of: {', '.join(known)}" if len(known) < len(COMMANDS) else "stack-run --help lists them"
        raise argparse.ArgumentError(action, f"there is no '{value}'; {near or others}")


def load(command: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(f"stackengine.cli.commands.{command}")


def build(wanted: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser, with the arguments of the ``wanted`` commands (the others only have their line in the help)."""
    root = Parser(
        prog="stack-run",
        usage="%(prog)s COMMAND [options]",
        description="Turn a HOT, CloudFormation or TOSCA template into real virtual machines, volumes and networks on libvirt hosts.",
        epilog=EPILOG,
    )
    root.add_argument("--version", action="version", version=f"stack-run {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    options.add_common(root)
    wanted = set(wanted)
    for name, line in COMMANDS.items():
        module = load(name) if name in wanted else None
        description = module.__doc__.strip() if module and module.__doc__ else line
        parser = commands.add_parser(name, prog=f"stack-run {name}", help=line, description=description)
        if module is not None:
            module.configure(parser)
            options.add_common(parser, again=True)
            parser.set_defaults(run=module.run)
            _shorten_usage(parser)
    return root


def _shorten_usage(parser: argparse.ArgumentParser) -> None:
    """``stack-run up [options] TEMPLATE`` in place of every option: the help has them below."""
    needed = [f"{a.option_strings[0]} {a.metavar or a.dest.upper()}" for a in parser._actions if a.option_strings and a.required]
    words = [*needed, *(synopsis(a) for a in parser._actions if not a.option_strings)]
    parser.usage = parser.usage or " ".join(["%(prog)s [options]", *words])
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                _shorten_usage(sub)


def synopsis(action: argparse.Action) -> str:
    """How a positional argument stands in a usage line."""
    if isinstance(action.metavar, str):
        name = action.metavar
    else:
        name = "{" + ",".join(str(c) for c in action.choices) + "}" if action.choices else action.dest.upper()
    if action.nargs in ("?", "*"):
        return f"[{name}]" if action.nargs == "?" else f"[{name} ...]"
    return f"{name} [...]" if action.nargs == "+" else name


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; what follows the first ``--`` is left alone (``args.rest``), for ``ssh STACK SERVER -- CMD`` and ``env run``."""
    words = list(argv)
    cut = words.index("--") if "--" in words else len(words)
    named = [w for w in words[:cut] if w in COMMANDS]
    parser = build(named)
    args = parser.parse_args(words[:cut])
    if args.command is None:
        parser.error("say a command (stack-run --help lists them)")
    args.rest = words[cut + 1 :]
    if args.rest and args.command not in ("ssh", "exec", "env"):
        parser.error(f"unexpected after --: {' '.join(args.rest)}")
    return args
