"""Print a completion script for your shell.

    eval "$(stack-run completion bash)"                                    in ~/.bashrc
    stack-run completion zsh > ~/.zfunc/_stack-run                         a folder of fpath
    stack-run completion fish > ~/.config/fish/completions/stack-run.fish
"""

from __future__ import annotations

import argparse

from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print it."""
    from stackengine.cli import completion

    script = completion.script(args.shell)
    if terminal.json:
        terminal.document("completion", {"shell": args.shell, "script": script})
    else:
        terminal.data(script)
    return OK
