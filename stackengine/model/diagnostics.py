"""What is wrong with a template or a request: collected, never raised one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from stackengine.model.mark import NOWHERE, Mark

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: a stable code, a terse summary, where it is, and what to do.

    ``code`` is a letter for the room (T tree, H HOT, C CloudFormation, S TOSCA, P parameters, R references,
    V property validation, N nesting, L planning, K host checks) and three digits; codes are never reused.
    """

    code: str
    summary: str
    mark: Mark = NOWHERE
    hint: str = ""
    severity: Severity = "error"
    detail: str = ""


@dataclass(slots=True)
class Diagnostics:
    """A growing list of diagnostics that a pass hands on to the next."""

    items: list[Diagnostic] = field(default_factory=list)
    _told: set[tuple[str, str, Mark]] = field(default_factory=set, repr=False)

    def add(self, found: Diagnostic) -> None:
        """Add one, unless the same was said of the same place: a mistake in the definition of a group's members is one mistake."""
        key = (found.code, found.summary, found.mark)
        if found.mark is NOWHERE or key not in self._told:
            self._told.add(key)
            self.items.append(found)

    def error(self, code: str, summary: str, mark: Mark = NOWHERE, hint: str = "", detail: str = "") -> None:
        """Add an error."""
        self.add(Diagnostic(code, summary, mark, hint, "error", detail))

    def warning(self, code: str, summary: str, mark: Mark = NOWHERE, hint: str = "", detail: str = "") -> None:
        """Add a warning: accepted, but the author should know."""
        self.add(Diagnostic(code, summary, mark, hint, "warning", detail))

    def notice(self, code: str, summary: str, mark: Mark = NOWHERE, hint: str = "", detail: str = "") -> None:
        """Add a notice: something is accepted and has no effect."""
        self.add(Diagnostic(code, summary, mark, hint, "notice", detail))

    def extend(self, more: Iterable[Diagnostic]) -> None:
        """Add all of ``more``."""
        for found in more:
            self.add(found)

    def promote(self, codes: Collection[str] | None = None) -> None:
        """Warnings of these codes (None: of any) become errors."""
        wanted = (d.severity == "warning" and (codes is None or d.code in codes) for d in self.items)
        self.items[:] = [replace(d, severity="error") if w else d for d, w in zip(self.items, wanted, strict=True)]

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors only."""
        return [d for d in self.items if d.severity == "error"]

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self.items, key=lambda d: (d.mark.file, d.mark.line, d.mark.col, d.code)))

    def __len__(self) -> int:
        return len(self.items)


class InvalidTemplateError(Exception):
    """A template or its parameters have errors; carries every diagnostic of the run."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        super().__init__("; ".join(f"{d.mark}: {d.code} {d.summary}" for d in diagnostics.errors))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, or the empty string."""
    import difflib  # only where something is wrong

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""
