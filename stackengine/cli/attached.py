"""A terminal connected with a guest's serial console: keys go in as they are typed, what the guest writes comes out."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LEAVE = b"\x1d"
"""Ctrl-], as telnet and virsh have it."""


def attach(stream: Any, tell: Callable[[str], None]) -> None:
    """Until Ctrl-] or the end of the guest, which ``tell`` gets. ``stream``: ``recv``, ``send`` and ``abort``."""
    out, closed = sys.stdout.buffer, threading.Event()

    def show() -> None:
        try:
            while data := stream.recv(4096):
                out.write(data)
                out.flush()
        except Exception as error:  # libvirt's stream ends with an error when the guest stops
            if not closed.is_set():
                tell(f"\r\nthe console ended: {error}\r")
        closed.set()

    threading.Thread(target=show, daemon=True).start()
    with _raw():
        while not closed.is_set():
            ready, _, _ = select.select([sys.stdin], [], [], 0.2)
            if ready:
                typed = os.read(sys.stdin.fileno(), 1024)
                if not typed or LEAVE in typed:
                    break
                stream.send(typed)
    closed.set()
    stream.abort()


@contextmanager
def _raw() -> Iterator[None]:
    """Keys as they are typed, where there is a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
