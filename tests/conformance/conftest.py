"""Counts what passed of the conformance cases, by language."""

from __future__ import annotations

from collections import Counter
from typing import Any

FOLDER = "tests/conformance/"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" and report.nodeid.startswith(FOLDER):
                language = report.nodeid.removeprefix(FOLDER).partition("/")[0]
                counts.setdefault(language, Counter())[outcome] += 1
    for language, count in sorted(counts.items()):
        terminalreporter.write_line(f"conformance {language}: {count['passed']} of {count.total()} cases")
