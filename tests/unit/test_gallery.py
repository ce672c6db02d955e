"""The gallery: every example is there in all three languages, with the same graph and outputs of the same names."""

from __future__ import annotations

import pytest

from stackengine import registry
from stackengine.evaluate import evaluate
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.service.sources import read_template
from stackengine.service.templates import gallery

LANGUAGES = ("hot", "cfn", "tosca")
TYPES = registry.load(entry_points=False)


def desired(example: str, language: str) -> Desired:
    diagnostics = Diagnostics()
    template = read_template(gallery()[example] / language / "stack.yaml", diagnostics)
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [str(d) for d in diagnostics]
    return found.desired


def graph(of: Desired) -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    return {(p, r.type) for p, r in of.resources.items()}, {(p, d.path, d.need) for p, r in of.resources.items() for d in r.depends}


def test_the_gallery_has_the_four_examples() -> None:
    assert {"hello", "three-tier", "parallel", "autofail"} <= set(gallery())


@pytest.mark.parametrize("example", ["hello", "three-tier", "parallel", "autofail"])
def test_an_example_has_the_same_graph_in_every_language(example: str) -> None:
    hot, cfn, tosca = (graph(desired(example, language)) for language in LANGUAGES)
    assert hot == cfn
    assert hot == tosca


@pytest.mark.parametrize("example", ["hello", "three-tier"])
def test_an_example_has_the_same_outputs_in_every_language(example: str) -> None:
    names = [set(desired(example, language).outputs) for language in LANGUAGES]
    assert names[0] == names[1] == names[2]
