"""Ctrl-C during an operation: once asks to cancel by policy, twice stops now. SIGTERM and SIGHUP stop now.

Stopping now is a plain exit: whatever was begun stands in the journal, and ``resume`` goes on from there.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from stackengine.cli.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal

_SHOW_CURSOR = b"\r\x1b[J\x1b[?25h"


class Interrupts:
    """While it is entered, signals mean what the module says. ``cancel`` is called in a thread of its own (a handler must not touch a database)."""

    def __init__(self, terminal: Terminal, cancel: Callable[[], None], policy: str, resume: str) -> None:
        self._terminal, self._cancel, self._policy, self._resume = terminal, cancel, policy, resume
        self._before: dict[int, Any] = {}
        self._thread: threading.Thread | None = None
        self.asked = False
        """Whether Ctrl-C asked for a cancel."""

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._stop(number, frame)
        self.asked = True
        self._thread = threading.Thread(target=self._ask, name="cancel", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        self._terminal.warn(f"interrupted: cancelling ({self._policy}) once running actions are done; Ctrl-C again stops now")
        try:
            self._cancel()
        except Exception as error:  # the operation goes on, and the person decides
            self._terminal.warn(f"cannot cancel: {error}; Ctrl-C again stops now")

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  (signature of a handler)
        text = f"stopped; `{self._resume}` goes on from here\n".encode()
        os.write(2, (_SHOW_CURSOR if self._terminal.live else b"") + text)
        os._exit(INTERRUPTED)

    def __enter__(self) -> Self:
        for number, handler in ((signal.SIGINT, self._interrupt), (signal.SIGTERM, self._stop), (signal.SIGHUP, self._stop)):
            self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._thread is not None:
            self._thread.join(2)
