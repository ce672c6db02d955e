"""Views of a running operation: drawn over itself on a terminal, lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from stackengine.cli.render import lines
from stackengine.cli.render.events import event_data
from stackengine.cli.render.progress import Progress
from stackengine.events import Event
from stackengine.planning.plan import Plan

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal

HEARTBEAT = 10.0
"""Seconds of silence after which a view of lines says that it is still there."""


class View(Protocol):
    """Takes the events of an operation as they come; a context manager around it."""

    progress: Progress

    def take(self, event: Event) -> None:
        """Show one event. Never raises: what watches must not disturb what is watched."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_view(terminal: Terminal, stack: str, plan: Plan | None = None) -> View:
    """The view that suits the terminal."""
    if terminal.json:
        return JsonView(terminal, plan)
    if terminal.live:
        from stackengine.cli.live import LiveView

        return LiveView(terminal, stack, plan)
    return LinesView(terminal, stack, plan)


class JsonView:
    """One JSON line for each event."""

    def __init__(self, terminal: Terminal, plan: Plan | None = None) -> None:
        self.progress, self._terminal, self._open = Progress(plan), terminal, True

    def take(self, event: Event) -> None:
        """Print the event; a reader that went away is no reason to stop the operation."""
        self.progress.take(event)
        if self._open:
            try:
                self._terminal.document("event", event_data(event), line=True)
            except (BrokenPipeError, ValueError):
                self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


class LinesView:
    """One line for each transition, and one for all that runs after ten silent seconds."""

    def __init__(
        self, terminal: Terminal, stack: str, plan: Plan | None = None, *, clock: Callable[[], float] = time.time, silence: float = HEARTBEAT
    ) -> None:
        self.progress, self._terminal, self._stack = Progress(plan), terminal, stack
        self._clock, self._silence = clock, silence
        self._lock, self._said, self._closed = threading.Lock(), clock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def take(self, event: Event) -> None:
        """Print what changed."""
        with self._lock:
            step = self.progress.take(event)
            if event.kind == "operation.started":
                self._say(lines.walk_began(self.progress.walk, self._stack))
            elif step is not None and (line := lines.transition(event, step, self._terminal.err_style)):
                self._say(line)

    def _say(self, line: str) -> None:
        walk = self.progress.walk
        now = self._clock()
        self._terminal.say(f"[{now - walk.began if walk.began else 0.0:6.1f}s] {line}")
        self._said = now

    def _beat(self) -> None:
        while not self._closed.wait(max(0.05, self._said + self._silence - self._clock())):
            with self._lock:
                now = self._clock()
                if now - self._said < self._silence:
                    continue
                self._said = now
                if self.progress.walks and not self.progress.walk.ended:
                    self._say(lines.heartbeat(self.progress.walk, self.progress.cancelling, now))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        self._thread.join(1)
