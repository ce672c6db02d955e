"""Every HOT function in every version: what it gives, what it refuses, and that versions without it refuse it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.formats.hot.versions import CONDITIONS, REMOVED, SINCE, VERSIONS
from stackengine.model.diagnostics import Diagnostics

CASES = yaml.safe_load((Path(__file__).parent / "functions.yaml").read_text("utf-8"))
TYPES = registry.load(entry_points=False)
FUNCTIONS: dict[str, dict[str, Any]] = CASES["functions"]


class Files:
    def read(self, name: str, relative_to: str) -> str:
        if name != "text.sh":
            raise ValueError(f"{name}: no such file")
        return "#!/bin/sh\n"


def evaluated(version: str, value: Any = None, condition: Any = None) -> tuple[Any, list[str]]:
    """(the value of an output, or of a condition; codes of errors)."""
    template: dict[str, Any] = {"heat_template_version": version, "parameters": CASES["params"], "outputs": {"v": {"value": value}}}
    if version >= CONDITIONS:
        template["conditions"] = {"is_abc": {"equals": [{"get_param": "text"}, "abc"]}}
    if condition is not None:
        template["conditions"]["c"] = condition[0]
    diagnostics = Diagnostics()
    loaded = formats.load(json.dumps(template), "t.yaml", Files(), diagnostics)
    if loaded is None:
        return None, [d.code for d in diagnostics.errors]
    found = explore(loaded, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=Diagnostics())
    gives = found.conditions[""]["c"] if condition is not None else found.outputs["v"].value
    return gives, [d.code for d in diagnostics.errors]


def applies(case: dict[str, Any], entry: dict[str, Any], version: str) -> bool:
    return str(case.get("from", entry["from"])) <= version < str(case.get("before", entry.get("before", "9")))


def check(case: dict[str, Any], got: tuple[Any, list[str]], what: str) -> None:
    value, errors = got
    if "gives" not in case:
        assert errors, f"{what} is accepted, and gives {value!r}"
        return
    assert not errors, f"{what} is refused: {errors}"
    assert json.dumps(value, sort_keys=True) == json.dumps(case["gives"], sort_keys=True), what


def test_there_are_cases_for_every_function() -> None:
    assert {*FUNCTIONS, "get_resource", "get_attr"} == set(SINCE), "those two are in test_hot_templates.py"
    assert all(str(e["from"]) == SINCE[n] for n, e in FUNCTIONS.items())
    assert {n: str(e["before"]) for n, e in FUNCTIONS.items() if "before" in e} == REMOVED


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str, version: str, record_property: Any) -> None:
    if name == "yaql":
        pytest.importorskip("yaql")
    entry = FUNCTIONS[name]
    cases = [c for c in entry["cases"] if applies(c, entry, version)]
    for case in cases:
        check(case, evaluated(version, case["value"]), json.dumps(case["value"]))
    if not cases:
        first = next(c for c in entry["cases"] if "gives" in c)
        _, errors = evaluated(version, first["value"])
        assert errors == ["H120" if version < str(entry["from"]) else "H121"], f"{version} has no {name}"
    record_property("cases", len(cases) or 1)


@pytest.mark.parametrize("version", [v for v in VERSIONS if v >= CONDITIONS])
def test_condition(version: str, record_property: Any) -> None:
    pytest.importorskip("yaql")
    cases = [c for c in CASES["conditions"] if applies(c, {"from": CONDITIONS}, version)]
    for case in cases:
        check(case, evaluated(version, None, (case["condition"],)), json.dumps(case["condition"]))
    record_property("cases", len(cases))


@pytest.mark.parametrize("name", ["equals", "not", "and", "or"])
def test_functions_of_conditions_are_data_in_values(name: str) -> None:
    assert evaluated("2018-08-31", {name: ["a", "b"]}) == ({name: ["a", "b"]}, [])


@pytest.mark.parametrize(("name", "data"), [("if", {"a": 1}), ("filter", "x"), ("contains", [1]), ("digest", "abc"), ("repeat", [1])])
def test_a_word_that_is_a_function_later_may_be_data_before(name: str, data: Any) -> None:
    assert evaluated("2014-10-16", {name: data}) == ({name: data}, [])
