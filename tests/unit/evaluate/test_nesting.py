"""Nested templates, groups and chains, from any language into any other, in one flat graph."""

from __future__ import annotations

from typing import Any

import pytest

from stackengine import formats, registry
from stackengine.evaluate import Evaluated, evaluate, flatten
from stackengine.model.desired import Desired, Scope
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.values import Sensitive, Unknown

TYPES = registry.load(entry_points=False)
HOT = "heat_template_version: 2018-08-31\n"


class Files:
    """A reader of texts by name; counts how often each is read."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts, self.read_names = texts, list[str]()

    def read(self, name: str, relative_to: str) -> str:
        from stackengine.formats.nesting import join

        place = join(relative_to, name)
        self.read_names.append(place)
        if place not in self.texts:
            raise ValueError(f"{place}: no such file")
        return self.texts[place]


CHILD = HOT + """
parameters:
  size: {type: number, default: 1, constraints: [{range: {min: 1, max: 9}}]}
  label: {type: string, default: none}
resources:
  first: {type: SE::None, properties: {value: {get_param: label}}}
  disk: {type: SE::Volume, properties: {size: {get_param: size}}}
outputs:
  size: {value: {get_param: size}}
  disk: {value: {get_resource: disk}}
  value: {value: {get_attr: [first, value]}}
"""
CFN_CHILD = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  label: {Type: String, Default: none}
Resources:
  first: {Type: SE::None, Properties: {value: !Ref label}}
Outputs:
  value: {Value: !GetAtt first.value}
"""


def run(text: str, files: dict[str, str] | None = None, previous: dict[str, Scope] | None = None, **given: Any) -> tuple[Evaluated | None, Diagnostics]:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", Files(files or {}), diagnostics)
    if template is None:
        return None, diagnostics
    return evaluate(template, given, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, previous=previous), diagnostics


def desired(text: str, files: dict[str, str] | None = None, previous: dict[str, Scope] | None = None, **given: Any) -> Desired:
    found, diagnostics = run(text, files, previous, **given)
    assert not diagnostics.errors, [(str(d.mark), d.summary) for d in diagnostics.errors]
    assert found is not None
    return found.desired


def faults(text: str, files: dict[str, str] | None = None, **given: Any) -> list[str]:
    return [f"{d.mark.file}:{d.mark.line} {d.code}" for d in run(text, files, **given)[1] if d.severity == "error"]


def depends(state: Desired, path: str) -> set[str]:
    return {d.path for d in state.resources[path].depends}


def test_a_file_as_a_type_is_flattened_and_its_consumer_waits_for_one_resource_only() -> None:
    state = desired(
        HOT
        + """
resources:
  seed: {type: SE::None, properties: {value: 3}}
  box: {type: child.yaml, properties: {size: 3, label: {get_attr: [seed, value]}}}
  user: {type: SE::None, properties: {value: {get_attr: [box, disk]}, triggers: {get_attr: [box, size]}}}
""",
        {"child.yaml": CHILD},
    )
    assert list(state.resources) == ["seed", "box/first", "box/disk", "user"]
    assert state.resources["box/disk"].properties["size"] == 3
    assert depends(state, "user") == {"box/disk"}
    assert state.resources["user"].properties["triggers"] == 3
    assert depends(state, "box/first") == {"seed"}
    assert not depends(state, "box/disk")
    assert state.resources["box/disk"].scope == "box"
    assert state.scopes["box"].language == "hot"
    assert state.scopes["box"].parameters["size"] == 3
    assert state.resources["box/disk"].mark_of().file == "child.yaml"


def test_depends_on_a_nested_template_means_everything_in_it_both_ways() -> None:
    state = desired(
        HOT
        + """
resources:
  before: {type: SE::None}
  box: {type: child.yaml, depends_on: before}
  behind: {type: SE::None, depends_on: [box]}
""",
        {"child.yaml": CHILD},
    )
    assert depends(state, "box/first") == depends(state, "box/disk") == {"before"}
    assert depends(state, "behind") == {"box/first", "box/disk"}
    assert {d.need for d in state.resources["behind"].depends} == {"ready"}


def test_a_bare_reference_to_a_nested_template_waits_for_everything_in_it() -> None:
    state = desired(HOT + "resources:\n  box: {type: child.yaml}\n  user: {type: SE::None, properties: {value: {get_resource: box}}}\n", {"child.yaml": CHILD})
    assert depends(state, "user") == {"box/first", "box/disk"}
    value = state.resources["user"].properties["value"]
    assert isinstance(value, Unknown)
    from stackengine.evaluate import resolve

    assert resolve(value, lambda path, _attribute: path) == "1/box"


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        (HOT + "resources:\n  box: {type: c.template, properties: {label: hi}}\noutputs:\n  o: {value: {get_attr: [box, value]}}\n", CFN_CHILD),
        (HOT + "resources:\n  box: {type: 'OS::Heat::Stack', properties: {template: {get_file: c.template}, parameters: {label: hi}}}\n"
         "outputs:\n  o: {value: {get_attr: [box, outputs, value]}}\n", CFN_CHILD),
        (("Resources:\n  box: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: c.template, Parameters: {label: hi}}}\n"
         "Outputs:\n  o: {Value: !GetAtt box.Outputs.value}\n"), CHILD),
        (("Resources:\n  box: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: c.template, Parameters: {label: hi}}}\n"
         "Outputs:\n  o: {Value: !GetAtt box.Outputs.value}\n"), CFN_CHILD),
    ],
)  # fmt: skip
def test_any_language_into_any_other(parent: str, child: str) -> None:
    state = desired(parent, {"c.template": child})
    assert state.resources["box/first"].properties["value"] == "hi"
    value = state.outputs["o"].value
    assert isinstance(value, Unknown)
    assert value.describe() == "box/first.value"


GROUP = HOT + """
parameters: {n: {type: number, default: 2}, gone: {type: comma_delimited_list, default: ''}, names: {type: comma_delimited_list, default: 'a,b,c'}}
resources:
  pool:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: n}
      removal_policies: [{resource_list: {get_param: gone}}]
      resource_def: {type: child.yaml, properties: {label: {list_join: ['-', ['no', '%index%', {get_param: [names, '%index%']}]]}}}
outputs:
  one: {value: {get_attr: [pool, resource.1.value]}}
  sizes: {value: {get_attr: [pool, size]}}
  map: {value: {get_attr: [pool, attributes, size]}}
  dotted: {value: {get_attr: [pool, attributes.size]}}
  refs: {value: {get_attr: [pool, refs_map]}}
  inner: {value: {get_attr: [pool, resource.1.resource.disk.size]}}
"""


def test_a_group_has_members_by_stable_key_with_the_index_put_in() -> None:
    state = desired(GROUP, {"child.yaml": CHILD})
    assert list(state.resources) == ["pool/0/first", "pool/0/disk", "pool/1/first", "pool/1/disk"]
    assert state.resources["pool/1/first"].properties["value"] == "no-1-b"
    assert state.scopes["pool"].members == ("0", "1")
    assert state.scopes["pool/1"].parameters["label"] == "no-1-b"
    assert state.outputs["one"].value.describe() == "pool/1/first.value"
    assert state.outputs["sizes"].value == [1, 1]
    assert state.outputs["map"].value == state.outputs["dotted"].value == {"0": 1, "1": 1}
    assert set(state.outputs["refs"].value) == {"0", "1"}


def test_membership_is_recorded_a_smaller_count_drops_the_last_and_a_removed_key_never_comes_back() -> None:
    first = desired(GROUP, {"child.yaml": CHILD}, n=3)
    assert first.scopes["pool"].members == ("0", "1", "2")
    second = desired(GROUP.replace("resource.1", "resource.0"), {"child.yaml": CHILD}, first.scopes, n=2, gone="1")
    assert (second.scopes["pool"].members, second.scopes["pool"].removed) == (("0", "2"), ("1",))
    third = desired(GROUP.replace("resource.1", "resource.0"), {"child.yaml": CHILD}, second.scopes, n=3)
    assert (third.scopes["pool"].members, third.scopes["pool"].removed) == (("0", "2", "3"), ("1",))
    fourth = desired(GROUP.replace("resource.1", "resource.0"), {"child.yaml": CHILD}, third.scopes, n=1)
    assert fourth.scopes["pool"].members == ("0",)


def test_scopes_survive_their_json_form() -> None:
    from dataclasses import replace

    from stackengine.model.codec import desired_from_json, desired_to_json

    state = desired(GROUP, {"child.yaml": CHILD}, gone="0")
    assert state.scopes["pool"].removed == ("0",)
    plain = replace(state, resources={})
    assert desired_from_json(desired_to_json(plain)) == plain


def test_a_group_of_plain_resources() -> None:
    state = desired(
        HOT
        + """
resources:
  net: {type: SE::Network, properties: {cidr: auto}}
  disks:
    type: OS::Heat::ResourceGroup
    depends_on: net
    properties: {count: 2, index_var: '$i$', resource_def: {type: 'OS::Cinder::Volume', properties: {size: 1, name: 'd$i$'}}}
  user: {type: SE::None, properties: {value: {get_attr: [disks, refs]}, triggers: {get_attr: [disks, resource.1]}}}
""",
    )
    assert [state.resources[p].properties["name"] for p in ("disks/0", "disks/1")] == ["d0", "d1"]
    assert depends(state, "disks/0") == {"net"}
    assert depends(state, "user") == {"disks/0", "disks/1"}
    assert state.resources["disks/0"].scope == "disks"


@pytest.mark.parametrize(("concurrent", "edges"), [("false", {"chain/0"}), ("true", set())])
def test_a_chain_is_made_link_by_link_unless_it_is_concurrent(concurrent: str, edges: set[str]) -> None:
    state = desired(
        HOT
        + "resources:\n  chain: {type: 'OS::Heat::ResourceChain', properties: {concurrent: " + concurrent
        + ", resources: ['SE::None', 'child.yaml'], resource_properties: {}}}\n",
        {"child.yaml": CHILD},
    )  # fmt: skip
    assert list(state.resources) == ["chain/0", "chain/1/first", "chain/1/disk"]
    assert depends(state, "chain/1/disk") == edges


def test_secrets_and_what_is_not_known_yet_go_into_a_child() -> None:
    child = HOT + """
parameters: {p: {type: string, hidden: true}, l: {type: comma_delimited_list}, q: {type: string}}
resources: {r: {type: SE::None, properties: {value: [{get_param: p}, {get_param: [l, 0]}, {get_param: q}]}}}
"""
    state = desired(
        HOT
        + """
parameters: {secret: {type: string, hidden: true, default: s3}}
resources:
  a: {type: SE::None, properties: {value: 'x,y'}}
  box: {type: c.yaml, properties: {p: {get_attr: [a, value]}, l: {get_attr: [a, value]}, q: {get_param: secret}}}
""",
        {"c.yaml": child},
    )
    late, item, secret = state.resources["box/r"].properties["value"]
    assert secret == Sensitive("s3")
    assert isinstance(late, Unknown)
    from stackengine.evaluate import resolve
    from stackengine.evaluate.evaluator import Evaluator

    assert Evaluator(lambda _p, _a: "x,y").value(late.expr) == Sensitive("x,y")
    assert resolve(item, lambda _p, _a: "x,y") == "x"


def test_each_file_is_parsed_once_and_stands_in_the_sources_once() -> None:
    files = Files({"a/b.yaml": HOT + "resources:\n  x: {type: c.yaml}\n  y: {type: ../a/c.yaml}\n", "a/c.yaml": CHILD})
    diagnostics = Diagnostics()
    template = formats.load(HOT + "resources:\n  one: {type: a/b.yaml}\n  two: {type: a/b.yaml}\n", "t.yaml", files, diagnostics)
    assert template is not None
    assert files.read_names == ["a/b.yaml", "a/c.yaml"]
    assert [s.name for s in template.sources] == ["t.yaml", "a/c.yaml", "a/b.yaml"]


def test_a_type_that_an_environment_maps_to_a_file_or_another_type() -> None:
    class Mapping:
        mentioned = ()

        def resolve(self, type_name: str, resource: str) -> tuple[str, str] | None:
            return {"My::Box": ("child.yaml", "env/e.yaml"), "My::Disk": ("OS::Cinder::Volume", "e.yaml")}.get(type_name)

    diagnostics = Diagnostics()
    text = HOT + "resources:\n  box: {type: 'My::Box'}\n  disk: {type: 'My::Disk', properties: {size: 1}}\n"
    template = formats.load(text, "t.yaml", Files({"env/child.yaml": CHILD}), diagnostics, Mapping())
    assert template is not None
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None
    assert list(found.desired.resources) == ["box/first", "box/disk", "disk"]


def test_a_false_condition_takes_the_whole_child_away() -> None:
    state = desired(
        HOT
        + """
conditions: {no: {equals: [a, b]}}
resources:
  box: {type: child.yaml, condition: no}
  user: {type: SE::None, depends_on: box, properties: {value: {get_attr: [box, size]}}}
""",
        {"child.yaml": CHILD},
    )
    assert list(state.resources) == ["user"]
    assert "value" not in state.resources["user"].properties


def test_what_keeps_a_nested_template_keeps_what_is_in_it() -> None:
    state = desired(HOT + "resources:\n  box: {type: child.yaml, deletion_policy: Retain}\n", {"child.yaml": CHILD})
    assert state.resources["box/disk"].policies.deletion == "Retain"


@pytest.mark.parametrize(
    ("text", "files", "wanted"),
    [
        ("  a: {type: none.yaml}\n", {}, ["t.yaml:3 N101"]),
        ("  a: {type: c.yaml}\n", {n: f"{HOT}resources:\n  b: {{type: {o}}}\n" for n, o in (("c.yaml", "d.yaml"), ("d.yaml", "c.yaml"))}, ["d.yaml:3 N102"]),
        ("  a: {type: t.yaml}\n", {"t.yaml": "x"}, ["t.yaml:3 N102"]),
        ("  a: {type: c.yaml, properties: {sise: 3}}\n", {"c.yaml": CHILD}, ["t.yaml:3 N104"]),
        ("  a: {type: c.yaml}\n", {"c.yaml": CHILD.replace(", default: none", "")}, ["t.yaml:3 N105"]),
        ("  a: {type: c.yaml, properties: {size: 99}}\n", {"c.yaml": CHILD}, ["t.yaml:3 P104"]),
        ("  a: {type: c.yaml, properties: {size: many}}\n", {"c.yaml": CHILD}, ["t.yaml:3 P103"]),
        ("  a: {type: c.yaml}\n  b: {type: SE::None, properties: {value: {get_attr: [a, sise]}}}\n", {"c.yaml": CHILD}, ["t.yaml:4 N109"]),
        ("  a: {type: c.yaml}\n  b: {type: SE::None, properties: {value: {get_attr: [a, resource.dis.size]}}}\n", {"c.yaml": CHILD}, ["t.yaml:4 N110"]),
        ("  a: {type: c.yaml, properties: {size: {get_attr: [b, value]}}}\n  b: {type: SE::None, properties: {value: {get_attr: [a, value]}}}\n",
         {"c.yaml": CHILD.replace("get_param: label", "get_param: size")}, ["c.yaml:7 R105"]),
        ("  a: {type: c.yaml, properties: {size: {get_attr: [b, size]}}}\n  b: {type: c.yaml, properties: {size: {get_attr: [a, size]}}}\n",
         {"c.yaml": CHILD}, ["c.yaml:4 R108"]),
        (("  v: {type: SE::None, properties: {value: 2}}\n  g: {type: 'OS::Heat::ResourceGroup', properties: {count: {get_attr: [v, value]}, "
         "resource_def: {type: SE::None}}}\n"), {}, ["t.yaml:4 N106"]),
        ("  g: {type: 'OS::Heat::ResourceGroup', properties: {count: 100000000, resource_def: {type: SE::None}}}\n", {}, ["t.yaml:3 N107"]),
        ("  g: {type: 'OS::Heat::ResourceGroup', properties: {count: -1, resource_def: {type: SE::None}}}\n", {}, ["t.yaml:3 N107"]),
        ("  g: {type: 'OS::Heat::ResourceGroup', properties: {count: 300, resource_def: {type: c.yaml}}}\n",
         {"c.yaml": HOT + "resources:\n  g: {type: 'OS::Heat::ResourceGroup', properties: {count: 300, resource_def: {type: SE::None}}}\n"}, ["c.yaml:3 N111"]),
        (("  g: {type: 'OS::Heat::ResourceGroup', properties: {count: 1, resource_def: {type: SE::None}}}\n"
         "  b: {type: SE::None, properties: {value: {get_attr: [g, resource.7.value]}}}\n"), {}, ["t.yaml:4 N110"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, files: dict[str, str], wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flatten, "MAX_RESOURCES", 400)
    assert faults(HOT + "resources:\n" + text, files) == wanted


def test_a_circle_of_values_names_every_place() -> None:
    text = HOT + "resources:\n  a: {type: c.yaml, properties: {size: {get_attr: [b, size]}}}\n  b: {type: c.yaml, properties: {size: {get_attr: [a, size]}}}\n"
    found = [d for d in run(text, {"c.yaml": CHILD})[1] if d.code == "R108"]
    steps = [("parameter a/size", 4), ("output b/size", 10), ("parameter b/size", 4), ("output a/size", 10)]
    assert [d.detail for d in found] == ["; ".join(f"{what} (c.yaml:{line}:3)" for what, line in steps)]


def test_an_immutable_parameter_keeps_its_value() -> None:
    text = "heat_template_version: 2021-04-16\nparameters:\n  a: {type: string, default: x, immutable: true}\n  b: {type: number, default: 1}\n"
    before = {"": Scope("", "hot", {"a": "x", "b": 1})}
    assert run(text, previous=before, b=2)[0] is not None
    assert [(d.code, d.hint) for d in run(text, previous=before, a="y")[1].errors] == [("P106", "it was 'x'")]
    assert run(text, previous={"": Scope("", "hot", {})}, a="y")[0] is not None
    assert run(text, a="y")[0] is not None
