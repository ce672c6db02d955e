"""The reference page of the command line, from the parser itself (``docs/reference/cli.md``; a test keeps it true)."""

from __future__ import annotations

import argparse

from stackengine.cli.commands import COMMANDS
from stackengine.cli.completion import parsers
from stackengine.cli.parser import EPILOG, build, synopsis

_HEAD = """\
# stack-run

Made from the argument parser; do not edit (`pytest tests/unit/cli --update-golden` writes it again).

Result data goes to stdout, everything else to stderr. `--json` gives documents with a `format_version` and a `kind`; their JSON Schemas
are in `stackengine/cli/schemas/`. Without a terminal, with `--plain` or `TERM=dumb` nothing is drawn over itself; with `NO_COLOR` nothing has a colour.
"""


def page() -> str:
    """The whole page in Markdown."""
    root = build()
    parts = [_HEAD, "| command | what it does |\n|---|---|", *(f"| [`{n}`](#stack-run-{n}) | {line} |" for n, line in COMMANDS.items()), ""]
    parts += ["```text", EPILOG.rstrip(), "```", "", "## Options of every command", "", *_options(root, common=True), ""]
    for words, parser in parsers(root):
        if words:
            parts += _section(words, parser)
    return "\n".join(parts).rstrip() + "\n"


def _section(words: tuple[str, ...], parser: argparse.ArgumentParser) -> list[str]:
    name = " ".join(("stack-run", *words))
    usage = (parser.usage or "%(prog)s") % {"prog": name}
    text = [f"{'#' * (len(words) + 1)} {name}", "", "```text", usage, "```", ""]
    if len(words) == 1 and parser.description:
        text += [_prose(parser.description), ""]
    rows = _options(parser, common=False)
    return [*text, *rows, ""] if rows else text


def _prose(description: str) -> str:
    """Paragraphs; what is indented becomes a code block."""
    blocks = description.strip().split("\n\n")
    return "\n\n".join(f"```text\n{b.rstrip()}\n```" if b.startswith("    ") else b for b in blocks)


def _options(parser: argparse.ArgumentParser, *, common: bool) -> list[str]:
    """Rows of a table: the arguments, then the options; ``common``: those that every command has."""
    every = {o for a in build(())._actions for o in a.option_strings} - {"--version"}
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or "--version" in action.option_strings:
            continue
        is_common = bool(action.option_strings) and set(action.option_strings) <= every
        special = is_common and action.dest == "format" and action.choices is not None and list(action.choices) != ["human", "json"]
        if is_common == common or special:
            rows.append(f"| {_flags(action)} | {_cell(action)} |")
    return ["| option | meaning |", "|---|---|", *rows] if rows else []


def _flags(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{synopsis(action)}`"
    value = "" if action.nargs == 0 else " " + (action.metavar if isinstance(action.metavar, str) else synopsis(action))
    return ", ".join(f"`{o}{value}`" for o in action.option_strings).replace("|", "\\|")


def _cell(action: argparse.Action) -> str:
    return (action.help or "").replace("|", "\\|").replace("%%", "%")
