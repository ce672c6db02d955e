"""Whole documents, valid or invalid in one respect (``verdicts.txt``): what is wrong is told, what is right is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tosca_cases import Files

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)


def cases() -> tuple[dict[str, tuple[str, bool]], dict[str, str]]:
    """({name: (text, whether it is valid)}, {file: text})."""
    parts = re.split(r"^### ", (Path(__file__).parent / "verdicts.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
    beginnings: dict[str, str] = {}
    found: dict[str, tuple[str, bool]] = {}
    files: dict[str, str] = {}
    for part in parts:
        head, _, body = part.partition("\n")
        word, _, rest = head.partition(" ")
        if word == "PRE":
            beginnings[rest] = body
        elif word == "FILE":
            files[rest] = body
        else:
            name, _, verdict = head.rpartition(" | ")
            found[name] = re.sub(r"^@(\w+)\n", lambda m: beginnings[m[1]], body, flags=re.MULTILINE), verdict == "ok"
    return found, files


CASES, FILES = cases()


def faults(text: str) -> list[str]:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", Files({**FILES, "t.yaml": text}), diagnostics)
    if template is not None:
        explore(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=Diagnostics())
    return [f"{d.code} {d.mark.line}:{d.mark.col} {d.summary}" for d in diagnostics.errors if d.code not in ("P102", "R112")]


def test_verdicts(record_property: Callable[[str, object], None]) -> None:
    """One test for all of them, which says every case that came out otherwise."""
    record_property("cases", len(CASES))
    wrong = []
    for name, (text, valid) in CASES.items():
        found = faults(text)
        if valid == bool(found):
            wrong.append(f"{name}: {found or 'nothing was told'}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("op missing in node interface 1.3", "S272 5:98"),
        ("index beyond list 2.0", "S243 8:47"),
        ("key of complex type that has none", "S243 10:47"),
        ("output mapping unknown attribute", "S273 15:99"),
        ("workflow outputs unknown attribute", "S273 14:90"),
    ],
)
def test_place(name: str, place: str) -> None:
    assert faults(CASES[name][0])[0].startswith(place)
