"""Writing and reading again: ``parse(write(model)) == model`` in each language, and converted templates have the same graph."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.evaluate.convert import converted
from stackengine.formats.write import write
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Constraint, DependsOn, Language, Output, Parameter, Policies, Resource, Template

ROOT = Path(__file__).parents[2]
TYPES = registry.load(entry_points=False)
LANGUAGES: tuple[Language, ...] = ("hot", "cfn", "tosca")
VERSION: dict[Language, str] = {"hot": "2021-04-16", "cfn": "2010-09-09", "tosca": "2.0"}
NAMES = ("Alpha", "Beta", "Gamma", "Delta")
ODD = ["", "a", "on", "0755", "22:30", "1_0", "2012-10-17", "0o7", "null", "~", "x: y", "# no", "a\nb\n", " lead", "trail ", "é", "'", '"', "- x", "{", "1e5"]
TEXTS = st.sampled_from(ODD)
LIVES = [Policies(), Policies(deletion="Retain", update_replace="Retain"), Policies(replace="never"), Policies(ignore_changes=("value",))]
PARAMETERS = {
    "Text": Parameter("Text", "string", Literal("t"), "a text", constraints=(Constraint("length", {"min": 1, "max": 9}), Constraint("pattern", "[a-z]+"))),
    "Count": Parameter("Count", "number", Literal(3), constraints=(Constraint("range", {"min": 1, "max": 9}),)),
    "Items": Parameter("Items", "list", Literal(["a", "b"])),
    "Choice": Parameter("Choice", "string", Literal("x"), constraints=(Constraint("allowed_values", ["x", "y"]),)),
}


def literals() -> st.SearchStrategy[Expr]:
    return (TEXTS | st.integers(-5, 99) | st.booleans()).map(Literal)


def expressions(language: Language, earlier: list[str], conditions: list[str]) -> st.SearchStrategy[Expr]:
    """What a property may hold: literals, references to earlier resources, functions of the language."""
    leaves = [literals(), st.sampled_from(sorted(PARAMETERS)).map(Param)]
    if earlier:
        leaves.append(st.sampled_from(earlier).map(lambda n: Attr(n, (Literal("value"),))))
        if language != "tosca":
            leaves.append(st.sampled_from(earlier).map(Ref))

    def deeper(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        found: list[st.SearchStrategy[Expr]] = [
            st.lists(inner, min_size=1, max_size=3).map(lambda i: List(tuple(i))),
            st.dictionaries(st.sampled_from(["k", "l", "on"]), inner, min_size=2, max_size=3).map(
                lambda m: Map(tuple(Entry(k, NOWHERE, v) for k, v in m.items()))
            ),
            st.lists(st.sampled_from(["a", "b c"]).map(Literal) | st.just(Param("Text")), min_size=1, max_size=3).map(
                lambda i: Call("join", (Literal("-"), List(tuple(i))))
            ),
        ]
        if conditions and language != "tosca":
            found.append(st.tuples(st.sampled_from(conditions), inner, inner).map(lambda t: If(Call("condition", (Literal(t[0]),)), t[1], t[2])))
        return st.one_of(*found)

    return st.recursive(st.one_of(*leaves), deeper, max_leaves=5)


@st.composite
def templates(draw: Any, language: Language) -> Template:
    conditions: dict[str, Expr] = {}
    if language != "tosca":
        conditions["Is"] = Call("equals", (Param("Choice"), Literal(draw(st.sampled_from(["x", "y"])))))
        conditions["Not"] = Call("not", (Call("condition", (Literal("Is"),)),))
        conditions["Both"] = Call("and", (Call("condition", (Literal("Is"),)), Call("condition", (Literal("Not"),))))
    resources: dict[str, Resource] = {}
    for name in NAMES[: draw(st.integers(1, 4))]:
        earlier = list(resources)
        value = draw(expressions(language, earlier, list(conditions)))
        depends = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        policies = draw(st.sampled_from(LIVES))
        resources[name] = Resource(
            name, "SE::None", Map((Entry("value", NOWHERE, value),)), tuple(DependsOn(d) for d in depends), policies=policies,
        )  # fmt: skip
    text = st.one_of(literals(), st.just(Param("Text")), st.just(Attr("Alpha", (Literal("value"),))))  # what CloudFormation takes as an output
    coming = text if language == "cfn" else expressions(language, list(resources), list(conditions))
    outputs = {"Out": Output("Out", draw(coming), "what comes out")}
    return Template(language, VERSION[language], resources, "A template", dict(PARAMETERS), {}, conditions, outputs)


def bare(value: Any) -> Any:
    """Without places, and without the text that it was read from."""
    if isinstance(value, Mark):
        return None
    if isinstance(value, Entry):
        return (value.key, bare(value.value))
    if isinstance(value, Template):
        return {f.name: bare(getattr(value, f.name)) for f in fields(value) if f.name not in ("sources", "source")}
    if isinstance(value, tuple) and value and isinstance(value[0], Constraint):
        value = [c for c in value if c.kind != "check"]
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *(bare(getattr(value, f.name)) for f in fields(value)))
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items()}
    return [bare(v) for v in value] if isinstance(value, (list, tuple)) else value


def read(text: str) -> Template:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None, ([f"{d.mark} {d.summary}" for d in diagnostics], text)
    return template


def written(template: Template) -> str:
    diagnostics = Diagnostics()
    text = write(template, diagnostics)
    assert not diagnostics.errors, [d.summary for d in diagnostics]
    return text


def graph(template: Template) -> dict[str, Any]:
    diagnostics = Diagnostics()
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.mark} {d.summary}" for d in diagnostics.errors]
    return {p: (r.type, sorted((d.path, d.need) for d in r.depends)) for p, r in found.desired.resources.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_is_read_as_the_same(language: Language) -> None:
    @given(templates(language))
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def same(model: Template) -> None:
        once = read(written(model))
        assert list(once.resources) == list(model.resources)
        assert once.parameters.keys() == model.parameters.keys()
        again = read(written(once))
        assert bare(again) == bare(once)

    same()


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_converted_templates_have_the_same_graph(language: Language) -> None:
    @given(templates(language))
    @settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def same(model: Template) -> None:
        template = read(written(model))
        for to in LANGUAGES:
            diagnostics = Diagnostics()
            text = write(converted(template, to, TYPES, diagnostics), diagnostics)
            if to == "tosca" and template.conditions:
                assert {d.code for d in diagnostics.errors} == {"T201"}
            else:
                assert not diagnostics.errors, [d.summary for d in diagnostics]
                assert graph(read(text)) == graph(template)

    same()


EVERY_FUNCTION = """\
heat_template_version: 2021-04-16
parameters: {s: {type: string, default: x}, l: {type: comma_delimited_list, default: 'a,b'}, m: {type: json, default: {a: b, x: y}}}
conditions: {c: {equals: [{get_param: s}, x]}, k: {contains: [a, {get_param: l}]}, y: {yaql: {expression: '$.data.a = b', data: {get_param: m}}}}
resources:
  r: {type: OS::Heat::Value, properties: {value: {a: 1}}}
  q:
    type: OS::Heat::Value
    properties:
      value:
      - {str_split: [',', {get_param: s}, 0]}
      - {list_join: ['-', {get_param: l}, [a]]}
      - {str_replace: {template: $x, params: {$x: {get_param: s}}}}
      - {str_replace_strict: {template: $x, params: {$x: {get_param: s}}}}
      - {digest: [md5, {get_param: s}]}
      - {repeat: {template: '%x%', for_each: {'%x%': {get_param: l}}, permutations: false}}
      - {map_merge: [{get_param: m}, {a: b}]}
      - {map_replace: [{get_param: m}, {keys: {a: b}}]}
      - {yaql: {expression: $.data, data: {get_param: m}}}
      - {if: [c, a, {get_param: s}]}
      - {if: [{not: c}, a]}
      - {filter: [[a], {get_param: l}]}
      - {make_url: {scheme: http, host: {get_param: s}}}
      - {list_concat: [{get_param: l}, [a]]}
      - {list_concat_unique: [{get_param: l}, [a]]}
      - {contains: [a, {get_param: l}]}
      - {get_param: [m, {get_param: s}]}
      - {get_attr: [r, value, a]}
"""
LEFT_OUT = """\
Parameters: {A: {Type: String, Default: x}, Count: {Type: Number, Default: 3}}
Conditions: {C: !Equals [!Ref A, x], D: !Not [!Condition C]}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: a, Description: !If [C, !Ref AWS::NoValue, !If [D, x, !Ref AWS::NoValue]]}}
  N: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub 'n${Count}', Description: !Join ['-', [a, 5, !Ref Count]]}}
  Q: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Join ['', [!If [C, !Ref AWS::NoValue, x], y]]}}
"""


MAPPINGS = """\
Parameters: {Env: {Type: String, Default: prod}, M: {Type: String, Default: x}, Names: {Type: CommaDelimitedList, Default: 'a,b'}}
Mappings: {M: {prod: {size: t2.micro, list: [x, y]}, dev: {size: t2.nano, list: [z]}}}
Conditions: {C: !Equals [!FindInMap [M, !Ref Env, size], t2.micro]}
Resources:
  I: {Type: AWS::EC2::Instance, Properties: {ImageId: tiny, InstanceType: !FindInMap [M, !Ref Env, size]}}
  P:
    Type: AWS::SSM::Parameter
    Condition: C
    Properties: {Type: String, Value: !Select ['1', !FindInMap [M, !Ref Env, list]], Description: !Select [0, !Ref Names]}
"""


DEFAULT = """\
Transform: AWS::LanguageExtensions
Parameters: {Env: {Type: String, Default: prod}}
Mappings: {M: {prod: {size: t2.micro}}}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ToJsonString [!FindInMap [M, !Ref Env, none, {DefaultValue: p}]]}}}
"""


def in_language(text: str, to: Language) -> Template:
    diagnostics = Diagnostics()
    found = write(converted(read(text), to, TYPES, diagnostics), diagnostics)
    assert not diagnostics.errors, [d.summary for d in diagnostics]
    return read(found)


def evaluated(template: Template) -> dict[str, Any]:
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=Diagnostics())
    assert found is not None
    return {p: str(r.properties) for p, r in found.desired.resources.items()}


@pytest.mark.parametrize("text", [EVERY_FUNCTION, LEFT_OUT, MAPPINGS], ids=["every function", "what is left out, numbers in text", "mappings"])
def test_what_is_converted_to_hot_says_the_same(text: str) -> None:
    assert evaluated(in_language(text, "hot")) == evaluated(read(text))


@pytest.mark.parametrize("text", [MAPPINGS, DEFAULT], ids=["mappings", "a default"])
def test_mappings_stay_in_cloudformation(text: str) -> None:
    assert evaluated(in_language(text, "cfn")) == evaluated(read(text))


def test_what_cannot_be_said_is_told_and_left_out_at_any_depth() -> None:
    diagnostics = Diagnostics()
    text = write(converted(read(EVERY_FUNCTION + "outputs: {all: {value: {get_attr: [r]}}}\n"), "cfn", TYPES, diagnostics), diagnostics)
    assert {d.code for d in diagnostics.errors} == {"T201"}
    assert "Resources:" in text


@pytest.mark.parametrize("file", sorted((ROOT / "templates").glob("*/*/stack.yaml")), ids=lambda f: f"{f.parts[-3]}-{f.parts[-2]}")
@pytest.mark.parametrize("to", LANGUAGES)
def test_the_gallery_has_the_same_graph_in_every_language(file: Path, to: Language) -> None:
    template, diagnostics = read(file.read_text()), Diagnostics()
    text = write(converted(template, to, TYPES, diagnostics), diagnostics)
    if template.language == "tosca" and diagnostics.errors:  # arithmetic and units, which native types and the others do not have
        assert all(d.code == "T201" and ("the function tosca" in d.summary or "with a unit" in d.summary) for d in diagnostics.errors)
        assert "$product" in file.read_text()
        return
    assert not diagnostics.errors, [d.summary for d in diagnostics]
    assert graph(read(text)) == graph(template)
