"""Completion scripts: shtab for bash and zsh, a generator of our own for fish. Stack names are asked for while completing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from stackengine.cli.parser import build

_STACKS = "stack-run ls --quiet 2>/dev/null"
_FILES = frozenset(("template", "files", "param_file", "environment", "log_file", "subject"))
_FOLDERS = frozenset(("types", "destination"))


def script(shell: str) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``."""
    return fish() if shell == "fish" else _shtab(shell)


def parsers(root: argparse.ArgumentParser) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every parser with the words that lead to it, in the order of the help."""
    queue: list[tuple[tuple[str, ...], argparse.ArgumentParser]] = [((), root)]
    while queue:
        words, parser = queue.pop(0)
        yield words, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                queue += [((*words, name), sub) for name, sub in action.choices.items()]


def _shtab(shell: str) -> str:
    import shtab

    root = build()
    stacks = dict.fromkeys(("bash", "zsh"), "_stack_run_stacks")
    for _, parser in parsers(root):
        for action in parser._actions:
            if action.dest == "stack":
                action.complete = stacks  # type: ignore[attr-defined]
            elif action.dest in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.dest in _FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    preamble = {
        "bash": f'_stack_run_stacks() {{ compgen -W "$({_STACKS})" -- "$1"; }}',
        "zsh": f'_stack_run_stacks() {{ local -a names; names=(${{(f)"$({_STACKS})"}}); compadd -a names; }}',
    }
    return str(shtab.complete(root, shell, preamble=preamble))  # type: ignore[arg-type]  # its annotation says str, its code takes a dict


def fish() -> str:
    """One ``complete`` line for each option and word, guarded by the sub-command that the words before lead to."""
    found = list(parsers(build()))
    paths = " ".join(_quote(" ".join(words)) for words, _ in found if words)
    lines = [
        "# completion of stack-run for fish",
        "function __stack_run_at --description 'whether the words before lead to this sub-command'",
        "    set -l path ''",
        "    for word in (commandline -opc)[2..]",
        f'        contains -- (string trim -- "$path $word") {paths}; and set path (string trim -- "$path $word")',
        "    end",
        '    test "$path" = "$argv"',
        "end",
        "complete -c stack-run -f",
    ]
    for words, parser in found:
        guard = " ".join(("__stack_run_at", *words))
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                lines += [_line(guard, f"-a {_quote(a.dest)}", a.help) for a in action._choices_actions]
            elif action.help != argparse.SUPPRESS:
                lines += _fish_action(guard, action)
    return "\n".join(lines)


def _fish_action(guard: str, action: argparse.Action) -> Iterator[str]:
    takes = action.nargs != 0
    if action.dest in _FILES:
        values = " -F"
    elif action.dest in _FOLDERS:
        values = " -a '(__fish_complete_directories)'"
    elif action.choices:
        values = f" -a {_quote(' '.join(str(c) for c in action.choices))}"
    elif action.dest == "stack":
        values = f" -a '({_STACKS})'"
    else:
        values = ""
    if action.option_strings:
        flags = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in action.option_strings)
        needs = " -r" if action.dest in _FILES else " -x"
        yield _line(guard, flags + (needs + values if takes else ""), action.help)
    elif values:
        yield _line(guard, values.strip(), action.help)


def _line(guard: str, what: str, description: str | None) -> str:
    return f"complete -c stack-run -n {_quote(guard)} {what}" + (f" -d {_quote(description)}" if description else "")


def _quote(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
