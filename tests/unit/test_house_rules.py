"""The house rules that no linter knows: sizes, names, words, documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(p for top in ("stackengine", "resource_types", "tools", "bench") for p in (ROOT / top).rglob("*.py") if ".venv" not in p.parts)
LINES = {p: len(p.read_text().splitlines()) for p in MODULES}
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common", "base"}
SAID_TWICE = {"H142", "T201"}
"""Codes of two rooms that mean one thing: links of a chain, written out or computed; what a language has no words for, in its text or in its meaning."""
CODE = re.compile(r"\"([THCSPRVLKENX]\d{3})\"")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_modules_have_at_most_500_lines_and_mostly_less_than_150() -> None:
    assert {names(p): n for p, n in LINES.items() if n > 500} == {}
    assert median(n for n in LINES.values() if n > 5) < 150


def test_functions_have_at_most_60_lines() -> None:
    long = {f"{names(p)}:{f.name}": f.end_lineno - f.lineno + 1 for p in MODULES for f in functions(p) if f.end_lineno and f.end_lineno - f.lineno >= 60}
    assert long == {}


@pytest.mark.parametrize("top", ["stackengine", "resource_types"])
def test_every_module_and_every_public_name_says_what_it_is(top: str) -> None:
    silent = []
    for path in (p for p in MODULES if p.is_relative_to(ROOT / top)):
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree):
            silent.append(names(path))
        public = (n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_"))
        silent += [f"{names(path)}:{n.name}" for n in public if not ast.get_docstring(n)]
    assert silent == []


def test_every_failure_that_a_user_meets_says_what_to_do_next() -> None:
    """At the places where failures begin (subclasses, and what is passed on, have their hints from there)."""
    silent = []
    for path in (p for p in MODULES if p.is_relative_to(ROOT / "stackengine") or p.is_relative_to(ROOT / "resource_types")):
        for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
            if name in ("FailedError", "ServiceError", "NotThereError") and len(call.args) < 2 and "hint" not in {k.arg for k in call.keywords}:
                silent.append(f"{names(path)}:{call.lineno}")
    assert silent == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [names(p) for p in MODULES if EMPTY_WORDS & {p.stem, *p.parent.relative_to(ROOT).parts}] == []


def test_nothing_is_left_to_be_done_in_what_is_called_done() -> None:
    texts = [*MODULES, *(ROOT / "tools").glob("[a-z]*"), *(ROOT / "templates").rglob("*.yaml"), *(ROOT / "resource_types").rglob("*.json")]
    assert [names(p) for p in texts if p.is_file() and UNFINISHED.search(p.read_text())] == []


def test_a_diagnostic_code_belongs_to_one_top_room() -> None:
    """Formats share codes among the languages; between rooms a code never means two things. A code is given where it is an argument of a call."""
    rooms: dict[str, set[str]] = {}
    for path in (p for p in MODULES if p.is_relative_to(ROOT / "stackengine")):
        room = path.relative_to(ROOT / "stackengine").parts[0].removesuffix(".py")
        for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
            for code in (a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str) and CODE.fullmatch(f'"{a.value}"')):
                rooms.setdefault(code, set()).add(room)
    assert len(rooms) > 300
    assert {c: r for c, r in rooms.items() if len(r) > 1 and c not in SAID_TWICE} == {}


def test_tests_have_names_of_their_own() -> None:
    found = [p.name for p in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(found) == sorted(set(found))
