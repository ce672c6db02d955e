from __future__ import annotations

from pathlib import Path

from mutants.faults import FAULTS

PACKAGE = Path(__file__).parents[2] / "stackengine"


def test_every_fault_has_its_place() -> None:
    """So that a change of the code does not silently take a mutant away."""
    texts = {f.file: (PACKAGE / f.file).read_text() for f in FAULTS}
    assert {f.name: texts[f.file].count(f.old) for f in FAULTS if texts[f.file].count(f.old) != 1} == {}
    assert len({f.name for f in FAULTS}) == len(FAULTS)
