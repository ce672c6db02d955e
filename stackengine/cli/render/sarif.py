"""Diagnostics as SARIF 2.1.0 (OASIS), which code review tools read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stackengine import __version__
from stackengine.model.diagnostics import Diagnostic, Diagnostics

_LEVELS = {"error": "error", "warning": "warning", "notice": "note"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """One run with one result for each diagnostic."""
    found = list(Diagnostics(list(diagnostics)))
    rules = [{"id": code} for code in sorted({d.code for d in found})]
    driver = {"name": "stack-run", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(d) for d in found]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    text = ". ".join(t for t in (diagnostic.summary, diagnostic.detail, diagnostic.hint) if t)
    result: dict[str, Any] = {"ruleId": diagnostic.code, "level": _LEVELS[diagnostic.severity], "message": {"text": text}}
    mark = diagnostic.mark
    if mark.file:
        region = {"startLine": mark.line, "startColumn": mark.col, "endLine": mark.end_line, "endColumn": mark.end_col}
        uri = Path(mark.file).as_uri() if Path(mark.file).is_absolute() else quote(mark.file)
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}]
    return result
