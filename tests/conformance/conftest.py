"""Prints how many cases of each language passed."""

from __future__ import annotations

import re
from typing import Any

LANGUAGES = {"hot": "HOT", "cfn": "CloudFormation", "tosca": "TOSCA"}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each language; a test's cases are its ``cases`` property, or one; its language is its folder, or its parameter."""
    passed: dict[str, int] = {}
    failed: dict[str, int] = {}
    for counts, key in ((passed, "passed"), (failed, "failed")):
        for report in terminalreporter.stats.get(key, ()):
            found = re.search(rf"conformance/(?:test_verdicts\.py::test_\w+\[)?({'|'.join(LANGUAGES)})\b", report.nodeid)
            if found and getattr(report, "when", "") == "call":
                cases = dict(report.user_properties).get("cases", 1)
                counts[found.group(1)] = counts.get(found.group(1), 0) + int(str(cases))
    for folder in sorted({*passed, *failed}):
        name = LANGUAGES.get(folder, folder)
        terminalreporter.write_line(f"conformance {name}: {passed.get(folder, 0)} cases passed, {failed.get(folder, 0)} failed")
