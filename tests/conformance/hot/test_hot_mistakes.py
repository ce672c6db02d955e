"""What authors of HOT do wrong: each mistake is found in one run, at its line and column, with a code and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.model.diagnostics import Diagnostics

FOLDER = Path(__file__).parents[2] / "golden" / "mistakes" / "hot"
MISTAKES = sorted(FOLDER.glob("*.yaml"))
TYPES = registry.load(entry_points=False)


def told(path: Path) -> str:
    """Every diagnostic in a line or two."""
    diagnostics = Diagnostics()
    template = formats.load(path.read_text("utf-8"), path.name, formats.NoReader(), diagnostics, lenient=True)
    if template is not None:
        evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    return "".join(f"{d.mark.line}:{d.mark.col} {d.severity} {d.code}: {d.summary}\n{f'    {d.hint}{chr(10)}' if d.hint else ''}" for d in diagnostics)


def test_there_are_twenty_at_least() -> None:
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_mistake(path: Path, request: pytest.FixtureRequest) -> None:
    text = told(path)
    assert " error " in text
    check_file(path.with_suffix(".txt"), text, update=request.config.getoption("--update-golden"))
