"""What typical authors do wrong in CloudFormation templates: each fault at its line and column, all in one run, with code and hint."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stackengine.model.diagnostics import Diagnostics
from stackengine.service import templates
from stackengine.service.session import Session
from stackengine.service.types import Settings

MISTAKES = Path(__file__).parent.parent.parent / "golden" / "mistakes" / "cfn"
FILES = sorted([*MISTAKES.glob("*.yaml"), *MISTAKES.glob("*.json")])


def told(diagnostics: Diagnostics) -> str:
    lines = []
    for found in diagnostics:
        if found.severity == "error":
            hint = f"\n    {found.hint}" if found.hint else ""
            lines.append(f"{found.mark.line}:{found.mark.col} {found.code} {found.summary}{hint}\n")
    return "".join(lines)


def test_there_are_at_least_twenty() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_mistake_is_told(file: Path, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    with Session(Settings(state=str(tmp_path))) as session:
        found = templates.validate(session, [file], {}, [])
    assert re.search(r"^\d+:\d+ [A-Z]\d{3} ", told(found))
    golden(f"mistakes/cfn/{file.stem}.txt", told(found))
