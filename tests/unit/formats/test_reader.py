"""The located reader: places, lexemes, each language's scalars, and a diagnostic for whatever is no tree."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stackengine import formats
from stackengine.formats.build import plain
from stackengine.formats.scalars import Rules, value
from stackengine.formats.tree import MAX_DEPTH, Node, compose
from stackengine.model.diagnostics import Diagnostics


def tree(text: str, name: str = "t.yaml") -> Node:
    diagnostics = Diagnostics()
    node = compose(text, name, diagnostics)
    assert node is not None, [d.summary for d in diagnostics]
    assert not diagnostics.items
    return node


def faults(text: str, name: str = "t.yaml") -> list[tuple[str, int, int]]:
    diagnostics = Diagnostics()
    assert compose(text, name, diagnostics) is None
    return [(d.code, d.mark.line, d.mark.col) for d in diagnostics]


def scalar(text: str, rules: Rules) -> Any:
    return value(tree(f"- {text}").items[0], rules)


def test_every_node_has_its_place_and_lexeme() -> None:
    root = tree("version: 22.04\nlist:\n  - 'a'\n  - {b: 0755}\ntext: |\n  on\n")
    version = root.get("version")
    assert version is not None
    assert (version.text, version.plain, tuple(version.mark)) == ("22.04", True, ("t.yaml", 1, 10, 1, 15))
    listed = root.get("list")
    assert listed is not None
    assert [(i.kind, i.mark.line, i.mark.col, i.mark.end_col) for i in listed.items] == [("scalar", 3, 5, 8), ("map", 4, 5, 14)]
    assert (listed.items[0].text, listed.items[0].plain) == ("a", False)
    text = root.get("text")
    assert text is not None
    assert (text.text, text.plain) == ("on\n", False)


def test_json_has_places_and_its_own_scalars() -> None:
    root = tree('{\n  "a": [1e5, -0.5, true, null, "\\u00e9\\/"],\n\t"on": "yes"}', "t.json")
    listed = root.get("a")
    assert listed is not None
    assert [value(i, "yaml11") for i in listed.items] == [1e5, -0.5, True, None, "é/"]
    assert [tuple(i.mark)[1:] for i in listed.items[:2]] == [(2, 9, 2, 12), (2, 14, 2, 18)]
    on = root.get("on")
    assert on is not None
    assert (on.text, tuple(on.mark)[1:]) == ("yes", (3, 8, 3, 13))


@pytest.mark.parametrize(
    ("text", "yaml11", "core"),
    [
        ("0755", 493, 755), ("0o17", "0o17", 15), ("0x1f", 31, 31), ("0b11", 3, "0b11"), ("1_000", 1000, "1_000"), ("22:30", 1350, "22:30"),
        ("22.04", 22.04, 22.04), ("1e5", "1e5", 1e5), ("1.5e+3", 1500.0, 1500.0), ("1.5e3", "1.5e3", 1500.0), (".5", 0.5, 0.5), ("+7", 7, 7), ("-7", -7, -7),
        ("on", True, "on"), ("No", False, "No"), ("nO", "nO", "nO"), ("y", "y", "y"), ("TRUE", True, True), ("~", None, None), ("Null", None, None),
        ("2012-10-17", "2012-10-17", "2012-10-17"), ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        (".inf", ".inf", ".inf"), ("52:54:00:12:34:56", 41135085296, "52:54:00:12:34:56"), ("52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef"),
        ("'0755'", "0755", "0755"), ("!!str 12", "12", "12"), ("! 12", "12", "12"), ("9" * 5000, "9" * 5000, "9" * 5000), ("٣", "٣", "٣"),
        ("1e999", "1e999", "1e999"),
    ],
)  # fmt: skip
def test_each_language_has_its_own_scalars(text: str, yaml11: Any, core: Any) -> None:
    assert scalar(text, "yaml11") == yaml11
    assert scalar(text, "core") == core
    assert type(scalar(text, "yaml11")) is type(yaml11)


class _AsHeat(yaml.SafeLoader):
    """Heat's loader: timestamps stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (yaml's own shape)
        first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"] for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@given(st.text("0123456789+-._:xobeEaf~yYnNoOtrueTRUEfalsnull", max_size=9))
@settings(max_examples=400, deadline=None)
def test_plain_scalars_are_what_heat_reads(text: str) -> None:
    try:
        wanted = yaml.load(f"[{text}]", _AsHeat)
    except (yaml.YAMLError, ValueError, OverflowError):
        return
    if not isinstance(wanted, list) or len(wanted) != 1 or isinstance(wanted[0], (dict, list)) or (isinstance(wanted[0], float) and wanted[0] - wanted[0] != 0):
        return
    diagnostics = Diagnostics()
    root = compose(f"[{text}]", "t.yaml", diagnostics)
    assert root is not None
    found = value(root.items[0], "yaml11")
    assert (type(found), found) == (type(wanted[0]), pytest.approx(wanted[0]) if isinstance(found, float) else wanted[0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [("T102", 1, 1)]), ("# nothing\n", [("T102", 1, 1)]), ("---\n...\n", [("T102", 1, 1)]),
        ("a: 1\nb: 2\na: 3\nb: 4\n", [("T104", 3, 1), ("T104", 4, 1)]), ("a:\n\tb: 1\n", [("T101", 2, 1)]), ("a: [1, 2\nb: 3\n", [("T101", 2, 2)]),
        ("a: 1\n---\nb: 2\n", [("T103", 2, 1)]), ("? [a, b]\n: 1\n", [("T108", 1, 3)]), ("<<: 3\n", [("T109", 1, 5)]), ("a: *b\n", [("T114", 1, 4)]),
        ("a: &a [*a]\n", [("T114", 1, 8)]), ("- " + "[" * 200, [("T106", 1, MAX_DEPTH + 2)]), ("a: \x01\n", [("T101", 1, 4)]),
        ('a: "\ud800"\n', [("T113", 1, 1)]),
    ],
)  # fmt: skip
def test_what_is_no_tree_is_told_with_its_place(text: str, wanted: list[tuple[str, int, int]]) -> None:
    assert faults(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted", "hint"),
    [
        ('{\n  "a": 1,\n}', ("T112", 3, 1), "comma too many"), ('{\n  "a": 1\n  "b": 2}', ("T112", 3, 3), "comma missing"), ('{"a": 1} x', ("T112", 1, 10), ""),
        ('{\n  // why\n  "a": 1}', ("T112", 2, 3), "no comments"), ("{'a': 1}", ("T112", 1, 2), "double quotes"), ('{"a": NaN}', ("T112", 1, 1), ""),
        ('{"a": 1,\n "a": 2}', ("T104", 2, 2), "line 1"), ('{"a": "\\ud800"}', ("T113", 1, 7), ""), ("[" * 100_000, ("T106", 1, 1), ""),
        ("[" * 200 + "]" * 200, ("T106", 1, MAX_DEPTH + 1), ""), ('{"a": "x\ny"}', ("T112", 1, 9), ""), ("{", ("T112", 1, 2), ""),
    ],
)  # fmt: skip
def test_json_has_its_own_errors(text: str, wanted: tuple[str, int, int], hint: str) -> None:
    diagnostics = Diagnostics()
    assert compose(text, "t.json", diagnostics) is None
    found = next(iter(diagnostics))
    assert (found.code, found.mark.line, found.mark.col) == wanted
    assert hint in found.hint


@pytest.mark.parametrize("text", ['{"a": 1, # why\n "b": 2}', "{a: 1}", '{"a": 1,}', "[a, b]"])
def test_a_flow_mapping_in_a_yaml_file_is_yaml(text: str) -> None:
    assert tree(text, "t.template").mark.line == 1


def test_merge_keys_take_what_is_not_there() -> None:
    assert plain(tree("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 0}\n"), "core")["c"] == {"x": 0, "y": 2, "z": 4}


@pytest.mark.parametrize("language", ["heat_template_version: 2018-08-31", "tosca_definitions_version: tosca_2_0"])
def test_tags_mean_nothing_outside_cloudformation(language: str) -> None:
    diagnostics = Diagnostics()
    formats.load(f"{language}\ndescription: !Ref a\n", "t.yaml", formats.NoReader(), diagnostics)
    assert ("T115", 2, 14) in [(d.code, d.mark.line, d.mark.col) for d in diagnostics]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "T107"),
        pytest.param("- a\n" * 1_000_000, "T107", marks=pytest.mark.slow), ("x" * (9 << 20), "T105"), ("[" * 1_000_000, "T106"), ("- " * 1_000_000, "T106"),
        ("? " * 100_000, "T106"),
        ("a: " + "{b: " * 100_000, "T106"), pytest.param("[" + "1," * 1_000_000 + "1]", "T107", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_limits_hold_while_the_text_is_read(text: str, code: str) -> None:
    start = time.process_time()
    assert [f[0] for f in faults(text)] == [code]
    assert time.process_time() - start < 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda f: round(f, 3)) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_what_json_says_is_read_exactly(data: Any) -> None:
    text = json.dumps([data], indent=1, ensure_ascii=len(str(data)) % 2 == 0)
    assert plain(tree(text, "t.json"), "core") == [data]


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_what_yaml_says_is_read_exactly(data: Any) -> None:
    text = yaml.safe_dump([data], allow_unicode=True)
    assume(yaml.safe_load(text) == [data])  # PyYAML does not read back all that it writes: a lone NEL as a key
    assert plain(tree(text), "yaml11") == [data]


def test_a_large_mapping_is_looked_up_by_a_table() -> None:
    root = tree("".join(f"k{n}: {n}\n" for n in range(20_000)))
    start = time.process_time()
    assert all(root.get(f"k{n}") is not None for n in range(20_000))
    assert root.get("k") is None
    assert time.process_time() - start < 0.5
