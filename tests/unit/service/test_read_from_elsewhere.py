"""A template means the same from whatever folder the command is started in."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine.model.diagnostics import Diagnostics
from stackengine.service.sources import read_template

V2 = "tosca_definitions_version: tosca_2_0\n"
FILES = {
    "app/stack.yaml": V2 + """\
imports: [parts/types.yaml, parts/child.yaml, {profile: own, namespace: o}]
service_template:
  node_templates:
    a: {type: Abstract, directives: [substitute], properties: {name: x}}
    b: {type: o:Deep}
  outputs: {o: {value: {$get_attribute: [a, said]}}}
""",
    "app/parts/types.yaml": V2 + """\
node_types:
  Abstract: {properties: {name: {type: string}}, attributes: {said: {type: string}}}
  Concrete: {properties: {name: {type: string}}}
""",
    "app/parts/child.yaml": V2 + """\
imports: [types.yaml]
service_template:
  inputs: {n: {type: string}}
  substitution_mappings: {node_type: Abstract, properties: {name: n}, attributes: {said: out}}
  node_templates: {inner: {type: Concrete, properties: {name: {$get_input: n}}}}
  outputs: {out: {value: {$get_property: [inner, name]}}}
""",
    "app/profiles/own.yaml": V2 + "profile: own\nimports: [deep/more.yaml]\n",
    "app/profiles/deep/more.yaml": V2 + "node_types: {Deep: {}}\n",
}  # fmt: skip


@pytest.mark.parametrize("place", [".", "app", "app/parts"])
def test_substitution_and_profiles_are_found_from_every_folder(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path / place)
    template = {".": Path("app/stack.yaml"), "app": Path("stack.yaml"), "app/parts": Path("../stack.yaml")}[place]
    for path in (template, tmp_path / "app" / "stack.yaml"):
        diagnostics = Diagnostics()
        found = read_template(path, diagnostics)
        assert [str(d.summary) for d in diagnostics] == []
        nested = found.resources["a"].nested
        assert nested is not None
        assert nested.template is not None
        assert list(nested.template.resources) == ["inner"]
