"""Values that need each other: parameters, conditions, counts and outputs of nested templates, caught while they are worked out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import NOWHERE, Mark


class ReportedError(Exception):
    """What was asked for has no value, and the reason is in the diagnostics already."""


class Trail:
    """What is being worked out now, outermost first."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._steps: dict[str, Mark] = {}
        self._told: set[frozenset[str]] = set()

    @contextmanager
    def enter(self, what: str, mark: Mark) -> Iterator[None]:
        """Work ``what`` out; raises :class:`ReportedError` where that is under way already, naming every place of the circle."""
        if what in self._steps:
            self._report(what)
            raise ReportedError(what)
        self._steps[what] = mark
        try:
            yield
        finally:
            del self._steps[what]

    def _report(self, what: str) -> None:
        names = list(self._steps)
        circle = names[names.index(what) :]
        if frozenset(circle) in self._told:
            return
        self._told.add(frozenset(circle))
        places = "; ".join(f"{n} ({self._steps[n]})" if self._steps[n] != NOWHERE else n for n in circle)
        self._diagnostics.error("R108", f"these values need each other: {' -> '.join([*circle, circle[0]])}", self._steps[circle[0]], detail=places)
