"""CloudFormation's constructs and functions, valid and invalid: what each gives, or how it is refused.

``cases/values.yaml``: one expression in the place of a property (or of a condition, an output, an assertion) of a template that has a bit of
everything. ``cases/templates.yaml``: whole templates. Written after the User Guide's reference of functions and template anatomy.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackengine import formats, registry
from stackengine.cli.render.evaluation import plain
from stackengine.evaluate import Environment, Explored, explore
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.values import Sensitive, Value, reveal

TYPES = registry.load(entry_points=False)
CASES = Path(__file__).parent / "cases"
COMMON = (CASES / "common.yaml").read_text("utf-8")
PLACES = {
    "property": "  Subject: {{Type: 'SE::None', Properties: {{value: {0}}}}}\n",
    "block": "  Subject:\n    Type: SE::None\n    Properties:\n      value:\n{0}\n",
    "condition": "Conditions:\n  Yes: !Equals [!Ref Flag, 'true']\n  No: !Equals [!Ref Flag, 'false']\n  Subject: {0}\n",
    "output": "Outputs:\n  Subject: {{Value: {0}}}\n",
    "assertion": "Rules:\n  Subject: {{Assertions: [{{Assert: {0}}}]}}\n",
}


class OtherStacks:
    """Exports, outputs and records of other stacks, as the cases have them."""

    def export(self, name: str) -> Value:
        return {"net-id": "n-1", "secret-export": Sensitive("hush")}.get(name)

    def output(self, stack: str, name: str) -> Value:
        if stack != "base":
            raise LookupError(f"Stack with id {stack} does not exist")
        return {"Address": "10.0.0.1"}[name]

    def record(self, name: str) -> Value:
        return {"/image": "tiny", "/list": "a,b", "/secure": Sensitive("deep")}.get(name)

    def secret(self, name: str) -> Value:
        return {"db": Sensitive(json.dumps({"password": "pw", "port": 5432}))}.get(name)


class Files:
    """The files beside a case's template."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def read(self, name: str, relative_to: str) -> str:
        if name not in self._files:
            raise ValueError(f"{name} is outside the template's folder")
        return self._files[name]


class Doubling:
    """A macro that writes every text of its fragment twice; another that fails."""

    def call(self, name: str, event: dict[str, Any]) -> Any:
        if name == "ours.macros:double":
            return {"status": "success", "fragment": {k: v * 2 if isinstance(v, str) else v for k, v in event["fragment"].items()}}
        if name == "ours.macros:broken":
            return {"status": "failed", "errorMessage": "no"}
        raise PermissionError("the entry point is not allowed on this machine")


def explored(text: str, case: dict[str, Any]) -> tuple[Explored | None, Diagnostics]:
    diagnostics = Diagnostics()
    given = case.get("params", {})
    template = formats.load(text, "t.yaml", Files(case.get("files", {})), diagnostics, given=given, macros=Doubling())
    if template is None:
        return None, diagnostics
    environment = Environment(outside=OtherStacks() if case.get("outside") else None)
    found = explore(template, given, TYPES, stack_name="shop", stack_id="7", diagnostics=diagnostics, native=Diagnostics(), environment=environment)
    return found, diagnostics


def cases(name: str) -> Iterator[Any]:
    for group in yaml.safe_load((CASES / name).read_text("utf-8")):
        for number, case in enumerate(group["cases"], 1):
            yield pytest.param({**{k: v for k, v in group.items() if k != "cases"}, **case}, id=f"{group['construct']}-{number}")


def check_codes(diagnostics: Diagnostics, case: dict[str, Any]) -> None:
    wanted = case.get("codes", [])
    assert sorted({d.code for d in diagnostics.errors if d.code != "P102" or "P102" in wanted}) == sorted(wanted), [str(d) for d in diagnostics.errors]
    for said in case.get("says", []):
        assert any(said in d.summary for d in diagnostics), [d.summary for d in diagnostics]


def at(case: dict[str, Any]) -> str:
    """The whole template of an expression."""
    place = case.get("place", "property")
    said = case["say"]
    if "\n" in said and place == "property":
        return COMMON.format(case.get("transform", "AWS::LanguageExtensions")) + PLACES["block"].format(textwrap.indent(said.rstrip("\n"), " " * 8))
    body = PLACES[place].format(said)
    if place == "property":
        return COMMON.format(case.get("transform", "AWS::LanguageExtensions")) + body
    common = COMMON.format(case.get("transform", "AWS::LanguageExtensions"))
    if place == "condition":
        common = common.replace("Conditions:\n  Yes: !Equals [!Ref Flag, 'true']\n  No: !Equals [!Ref Flag, 'false']\n", "")
    return common + body


@pytest.mark.parametrize("case", [*cases("values.yaml")])
def test_an_expression(case: dict[str, Any]) -> None:
    found, diagnostics = explored(at(case), case)
    check_codes(diagnostics, case)
    if "is" not in case:
        return
    assert found is not None
    match case.get("place", "property"):
        case "property":
            value = found.written["Subject"].properties.get("value", "left out")
        case "condition":
            value = found.conditions[""]["Subject"]
        case "output":
            value = found.outputs["Subject"].value
        case _:
            value = "held"
    assert (reveal(value) if case.get("secret") else plain(value)) == case["is"]
    assert isinstance(value, Sensitive) == bool(case.get("secret"))


@pytest.mark.parametrize("case", [*cases("templates.yaml")])
def test_a_template(case: dict[str, Any]) -> None:
    found, diagnostics = explored(case["text"], case)
    check_codes(diagnostics, case)
    notices = {d.code for d in diagnostics if d.severity != "error"}
    assert notices >= set(case.get("notices", ())), [str(d) for d in diagnostics]
    if case.get("codes"):
        return
    assert found is not None
    if "resources" in case:
        assert sorted(found.written) == sorted(case["resources"])
    for path, properties in case.get("properties", {}).items():
        assert plain(found.written[path].properties) == properties
    for name, value in case.get("outputs", {}).items():
        assert plain(found.outputs[name].value) == value
    assert sorted(found.outputs) == sorted(case["outputs"]) if "outputs" in case else True
    for name, value in case.get("conditions", {}).items():
        assert plain(found.conditions[""][name]) == value
    for name, value in case.get("parameters", {}).items():
        assert plain(found.evaluated.parameters[name]) == value
    for path, policies in case.get("policies", {}).items():
        assert [found.written[path].policies.deletion, found.written[path].policies.update_replace] == policies
    for path, needed in case.get("depends", {}).items():
        assert sorted(d.path for d in found.written[path].depends) == sorted(needed)
