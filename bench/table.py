"""Measured values against their bars, and the table that is written of them."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADER = """\
# What was measured

Written by `make bench` (`python -m bench`). Every line is a median over repetitions of one run; what is compared was measured in turn in that
run, so that a busy machine weighs on both sides; each part says when it was measured. Times depend on the machine and are there to be looked
at; the bars are ratios, slopes, CPU seconds and memory. A line without a bar only informs.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: ``values`` are the repetitions; the bar holds when their median is at most ``limit``."""

    what: str
    values: Sequence[float]
    limit: float | None = None
    unit: str = "×"
    note: str = ""

    @property
    def median(self) -> float:
        """What the verdict is about."""
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        """Whether the bar is met; a line without one always is."""
        return self.limit is None or self.median <= self.limit

    def cells(self) -> list[str]:
        """The cells of the table."""
        verdict = "" if self.limit is None else "met" if self.holds else "**missed**"
        bar = "" if self.limit is None else f"≤ {self.limit:g} {self.unit}"
        spread = f"{number(min(self.values))} – {number(max(self.values))}"
        return [self.what, bar, f"{number(self.median)} {self.unit}", verdict, str(len(self.values)), spread, self.note]


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the results."""

    title: str
    text: str
    rows: Sequence[Row]

    def markdown(self, where: str) -> str:
        """Title, ``where`` and when it was measured, words, table."""
        head = "| what | bar | median | verdict | runs | spread | remarks |\n|---|---|---|---|---|---|---|"
        lines = [f"| {' | '.join(r.cells())} |" for r in self.rows]
        return "\n".join([f"## {self.title}", "", where, "", self.text, "", head, *lines, ""])


def place(when: str, load: Sequence[float], *, quick: bool) -> str:
    """When and where something was measured; ``load``: the load averages before and after."""
    how = " A short run (`--quick`): few repetitions, small sizes." if quick else ""
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}, Linux {platform.release()}"
    return f"{when}; {machine}; load average before {load[0]:.1f}, after {load[1]:.1f}.{how}"


def document(parts: Iterable[str]) -> str:
    """The whole of RESULTS.md, of sections as :meth:`Section.markdown` writes them."""
    texts = sorted(parts)
    missed = [line.split(" | ")[0].removeprefix("| ") for text in texts for line in text.splitlines() if "| **missed** |" in line]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "Every bar is met."
    return "\n".join([HEADER, verdict + "\n", *(t.rstrip() + "\n" for t in texts)]).rstrip() + "\n"


def parts_of(text: str) -> dict[str, str]:
    """The sections of a RESULTS.md, by title."""
    found = [f"## {part}" for part in text.split("\n## ")[1:]]
    return {part.partition("\n")[0].removeprefix("## "): part for part in found}
