"""A host call that failed in a way that may pass is tried again; whoever started the action in this thread is told of each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that failed and is tried again."""

    call: str
    """The libvirt call."""
    host: str
    message: str
    code: int
    """libvirt's error number, or 0."""
    number: int
    """Of the attempt that comes next; the first call was number 1."""
    wait: float
    """Seconds until then."""


_listener: ContextVar[Callable[[Attempt], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Callable[[Attempt], None]) -> Iterator[None]:
    """Inside, ``listener`` is told of what this thread tries again."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(attempt: Attempt) -> None:
    """Tell whoever listens, if anybody does."""
    listener = _listener.get()
    if listener is not None:
        listener(attempt)
