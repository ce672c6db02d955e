"""Golden files: texts that are kept, compared, and written anew by ``pytest --update-golden``."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest


def check_file(path: Path, text: str, *, update: bool) -> None:
    """Compare with a file, or write it."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    if not path.exists():
        pytest.fail(f"{path.name} is not there: run pytest --update-golden and look at it")
    kept = path.read_text(encoding="utf-8")
    if kept != text:
        diff = "\n".join(difflib.unified_diff(kept.splitlines(), text.splitlines(), "golden", "now", lineterm=""))
        pytest.fail(f"{path.name} differs (pytest --update-golden writes it anew):\n{diff}", pytrace=False)
