"""The two streams of a command: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from stackengine.cli.errors import UsageError
from stackengine.cli.render.style import Style

FORMAT_VERSION = 1
"""Of every JSON document; grows when a member changes its meaning or goes away, not when one is added."""


class Terminal:
    """Writes for people or for programs, and asks. A reader that went away (a closed pipe) never stops an operation."""

    def __init__(
        self, out: TextIO | None = None, err: TextIO | None = None, *, plain: bool = False, output: str = "human", environ: Mapping[str, str] = os.environ
    ) -> None:
        self.out, self.err, self.format = out or sys.stdout, err or sys.stderr, output
        for stream in (self.out, self.err):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        dumb = plain or environ.get("TERM") == "dumb"
        color = not dumb and not environ.get("NO_COLOR")
        self.live = not dumb and output != "json" and self.err.isatty()
        """Whether a view may be drawn over itself on stderr."""
        self.style = Style(color=color and self.out.isatty(), unicode=_unicode(self.out))
        self.err_style = Style(color=color and self.err.isatty(), unicode=_unicode(self.err))
        self.sink: Callable[[str], None] | None = None
        """While a live view is up: prints above it."""

    @property
    def json(self) -> bool:
        """Whether a program reads stdout."""
        return self.format == "json"

    def data(self, text: str) -> None:
        """Print result data."""
        print(text, file=self.out, flush=True)

    def document(self, kind: str, members: Mapping[str, Any], *, line: bool = False) -> None:
        """Print one JSON document; ``line``: on one line, for streams of documents."""
        import json

        whole = {"format_version": FORMAT_VERSION, "kind": kind, **members}
        self.data(json.dumps(whole, ensure_ascii=False, indent=None if line else 2))

    def documents(self, kind: str, all_members: Iterable[Mapping[str, Any]]) -> None:
        """Print a JSON list of documents."""
        import json

        self.data(json.dumps([{"format_version": FORMAT_VERSION, "kind": kind, **m} for m in all_members], ensure_ascii=False, indent=2))

    def say(self, text: str = "") -> None:
        """Tell the person something."""
        if self.sink is not None:
            self.sink(text)
            return
        try:
            print(text, file=self.err, flush=True)
        except (BrokenPipeError, ValueError):
            self.err = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (for the rest of the process)

    def note(self, text: str) -> None:
        """Tell something by the way."""
        self.say(self.err_style.paint(text, "dim"))

    def warn(self, text: str) -> None:
        """Tell something that the person should know beforehand."""
        self.say(self.err_style.paint("warning: ", "yellow", "bold") + text)

    def fail(self, text: str, hint: str = "") -> None:
        """Tell what went wrong, and what to do."""
        self.say(self.err_style.paint("error: ", "red", "bold") + text)
        if hint:
            self.say(self.err_style.paint("hint: ", "cyan", "bold") + hint)

    def ask(self, question: str) -> bool:
        """Ask for a yes; without a terminal that is a usage error that names ``--yes``."""
        if not (sys.stdin and sys.stdin.isatty() and self.err.isatty()):
            raise UsageError("this needs a confirmation and there is no terminal to ask on", hint="say --yes to go on without asking")
        self.err.write(f"{self.err_style.paint(question, 'bold')} [y/N] ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def _unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding has our glyphs."""
    try:
        "±→━●".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
