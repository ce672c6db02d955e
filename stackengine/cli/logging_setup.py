"""``-v``, ``-vv`` and ``--log-file``: the logger ``stackengine`` shown to people."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.cli.errors import UsageError

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal


class TerminalHandler(logging.Handler):
    """Says records on the terminal, above a live view where there is one."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        self._terminal.note(self.format(record))


def set_up(args: argparse.Namespace, terminal: Terminal) -> None:
    """``-v`` says information, ``-vv`` every host call; the file gets all of it with times and threads."""
    logger = logging.getLogger("stackengine")
    logger.propagate = False
    if args.verbose:
        shown = TerminalHandler(terminal)
        shown.setLevel(logging.DEBUG if args.verbose > 1 else logging.INFO)
        shown.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
        logger.addHandler(shown)
    if args.log_file:
        try:
            Path(args.log_file).parent.mkdir(parents=True, exist_ok=True)
            kept = logging.FileHandler(args.log_file, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--log-file {args.log_file}: {error.strerror}") from None
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(threadName)s %(message)s"))
        logger.addHandler(kept)
        logger.debug("stack-run %s", " ".join(_without_values(sys.argv[1:])))
    logger.setLevel(logging.DEBUG if args.log_file or (args.verbose or 0) > 1 else logging.INFO)


def _without_values(words: list[str]) -> list[str]:
    """The command line with the values of parameters left out: they may be secrets."""
    return [
        f"{w.partition('=')[0]}=..." if before in ("--param", "-P") or w.startswith(("--param=", "-P")) else w
        for before, w in zip(["", *words], words, strict=False)
    ]
