"""Typical mistakes of authors: each is found in one run, at its line and column, with a code and a hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.model.diagnostics import Diagnostics
from stackengine.service.sources import FolderReader

FOLDER = Path(__file__).parents[2] / "golden" / "mistakes" / "tosca"
MISTAKES = sorted(FOLDER.glob("*.yaml"))
TYPES = registry.load(entry_points=False)


def told(path: Path) -> str:
    diagnostics = Diagnostics()
    template = formats.load(path.read_text(), str(path), FolderReader(FOLDER), diagnostics)
    if template is not None:
        evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    lines = [
        f"{d.severity} {d.code} {d.mark.line}:{d.mark.col} {d.summary}" + (f"\n    {d.hint}" if d.hint else "") for d in diagnostics if d.severity != "notice"
    ]
    return "\n".join(lines).replace(str(FOLDER), "FOLDER") + "\n"


def test_there_are_at_least_twenty() -> None:
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_a_mistake_is_told_where_it_is(path: Path, golden: Callable[[str, str], None]) -> None:
    found = told(path)
    assert found.startswith("error") or "\nerror" in found
    golden(f"mistakes/tosca/{path.stem}.txt", found)
