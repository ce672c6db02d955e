"""The live view: one line per running action, drawn over itself on a terminal; what has ended scrolls up."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from stackengine.cli.render import lines
from stackengine.cli.render.progress import Progress, Step
from stackengine.cli.render.style import VERBS
from stackengine.cli.render.times import span
from stackengine.events import Event
from stackengine.planning.plan import Plan

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal

PERIOD = 0.25
"""Seconds between two pictures; drawing costs about 2 ms, so a long operation stays below 1 % of a processor."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SCROLLED = frozenset(("action.ready", "action.done", "action.failed", "action.skipped"))


class LiveView:
    """Draws from a thread of its own, so that events cost nothing and the clock runs while nothing happens."""

    def __init__(self, terminal: Terminal, stack: str, plan: Plan | None = None) -> None:
        self.progress, self._terminal, self._stack = Progress(plan), terminal, stack
        self._lock, self._closed, self._above = threading.Lock(), threading.Event(), list[str]()
        self._frame = 0
        self._console = Console(file=terminal.err, no_color=not terminal.err_style.color, highlight=False, force_terminal=True, legacy_windows=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False, get_renderable=self.picture)
        self._thread = threading.Thread(target=self._loop, name="live-view", daemon=True)

    def take(self, event: Event) -> None:
        """Take one event; what has ended is printed above the picture with the next one."""
        with self._lock:
            step = self.progress.take(event)
            if event.kind == "operation.started":
                self._above.append(lines.walk_began(self.progress.walk, self._stack))
            elif step is not None and event.kind in _SCROLLED and (line := lines.transition(event, step, self._terminal.err_style)):
                self._above.append("  " + line)

    def picture(self) -> Group:
        """What is drawn now: a line that sums up, and one per running action as far as the terminal has room."""
        with self._lock:
            if not self.progress.walks or self.progress.walk.ended:
                return Group()
            walk, now = self.progress.walk, time.time()
            running = sorted(walk.running(), key=lambda s: s.began)
            room = max(1, self._console.size.height - 3)
            shown = running if len(running) <= room else running[: room - 1]
            spinner = _SPINNER[self._frame % len(_SPINNER)] if self._terminal.err_style.unicode else "|/-\\"[self._frame % 4]
            rows = [Text(f"{spinner} {self._stack}: {lines.walk_line(walk, self.progress.cancelling, now)}", style="bold")]
            columns = min(40, max((len(s.path) for s in shown), default=0))
            kinds = min(30, max((len(s.type) for s in shown), default=0))
            rows += [self._row(s, now, columns, kinds) for s in shown]
            if len(shown) < len(running):
                rows.append(Text(f"  and {len(running) - len(shown)} more", style="dim"))
        for row in rows:
            row.no_wrap, row.overflow = True, "ellipsis"
        return Group(*rows)

    def _row(self, step: Step, now: float, columns: int, kinds: int) -> Text:
        char, color = VERBS.get("replace" if step.replaces else step.verb, ("?", "dim"))
        row = Text("  ")
        row.append(self._terminal.err_style.glyph(char), style=f"bold {color}")
        row.append(f" {step.path:<{columns}}  {step.type:<{kinds}}  {step.doing():<10} {span(now - step.began):>6}")
        return row.append(f"  {step.message}" if step.message else "", style="dim")

    def _say(self, text: str) -> None:
        with self._lock:
            self._above.append(text)

    def _loop(self) -> None:
        while not self._closed.wait(PERIOD):
            self._frame += 1
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            above, self._above = self._above, []
        try:
            if above:
                self._console.print(Text.from_ansi("\n".join(above)), soft_wrap=True)
            self._live.refresh()
        except OSError:
            self._closed.set()

    def __enter__(self) -> Self:
        self._live.start()
        self._terminal.sink = self._say
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        self._thread.join(2)
        self._terminal.sink = None
        self._draw()
        self._live.stop()
