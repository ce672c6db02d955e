"""Environment files: what they say of parameters, types and resources, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from stackengine import formats, registry
from stackengine.evaluate import Environment, explore
from stackengine.formats import environment
from stackengine.formats.environment.types import kinds_of
from stackengine.formats.nesting import join
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)
HOT = "heat_template_version: 2018-08-31\n"
PARAMETERS = """
parameters:
  s: {type: string, default: d}
  n: {type: number, default: 0}
  b: {type: boolean, default: false}
  l: {type: comma_delimited_list, default: ""}
  j: {type: json, default: {}}
outputs: {o: {value: {s: {get_param: s}, n: {get_param: n}, b: {get_param: b}, l: {get_param: l}, j: {get_param: j}}}}
"""


class Files:
    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def read(self, name: str, relative_to: str) -> str:
        place = join(relative_to, name)
        if place not in self._texts:
            raise ValueError(f"{place}: no such file")
        return self._texts[place]


def explored(text: str, *environments: str, files: dict[str, str] | None = None) -> tuple[Any, Diagnostics]:
    diagnostics = Diagnostics()
    known = environment.read([(f"e{n}.yaml", e) for n, e in enumerate(environments)], diagnostics)
    template = formats.load(HOT + text, "t.yaml", Files(files or {}), diagnostics, known.types)
    if template is None:
        return None, diagnostics
    given, defaults = environment.merged(known.layers, kinds_of(template), diagnostics)
    marks = {n: m for layer in known.layers for n, m in layer.marks.items()}
    env = Environment(given, defaults, marks=marks, restricted=known.types.restricted)
    return explore(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=Diagnostics(), environment=env), diagnostics


def values(*environments: str) -> dict[str, Any]:
    found, diagnostics = explored(PARAMETERS, *environments)
    assert not diagnostics.errors, diagnostics.errors
    return dict(found.outputs["o"].value)


def wrong(*environments: str) -> list[str]:
    return [f"{d.code} {d.mark}" for d in explored(PARAMETERS, *environments)[1].errors]


def test_parameters_win_over_defaults_and_those_over_the_template() -> None:
    found = values("{parameters: {s: a}, parameter_defaults: {s: b, n: 3}}")
    assert (found["s"], found["n"]) == ("a", 3)


def test_a_later_file_wins() -> None:
    assert values("parameters: {s: a, n: 1}", "parameters: {s: b}")["s"] == "b"
    assert values("parameters: {s: a, n: 1}", "parameters: {s: b}")["n"] == 1


@pytest.mark.parametrize(("strategy", "first", "second", "name", "expected"), [
    ("merge", "a", "b", "s", "ab"),
    ("merge", 1, 2, "n", 3),
    ("merge", [1], [2], "l", ["1", "2"]),
    ("merge", "'a'", "'b,c'", "l", ["a", "b", "c"]),
    ("merge", "{a: {x: 1}}", "{a: {y: 2}, b: 1}", "j", {"a": {"y": 2}, "b": 1}),
    ("deep_merge", "{a: {x: 1, l: [1], t: p}}", "{a: {y: 2, l: [2], t: q}}", "j", {"a": {"x": 1, "y": 2, "l": [1, 2], "t": "pq"}}),
    ("overwrite", "{a: 1}", "{b: 2}", "j", {"b": 2}),
])  # fmt: skip
def test_merge_strategies(strategy: str, first: Any, second: Any, name: str, expected: Any) -> None:
    said = f"parameter_merge_strategies: {{{name}: {strategy}}}\n"
    assert values(f"{said}parameters: {{{name}: {first}}}", f"{said}parameters: {{{name}: {second}}}")[name] == expected
    by_default = f"parameter_merge_strategies: {{default: {strategy}}}\n"
    assert values(f"{by_default}parameters: {{{name}: {first}}}", f"{by_default}parameters: {{{name}: {second}}}")[name] == expected


def test_files_that_do_not_agree_how_to_merge() -> None:
    one = "{parameter_merge_strategies: {s: merge}, parameters: {s: a}}"
    assert wrong(one, "{parameter_merge_strategies: {s: overwrite}, parameters: {s: a}}") == ["E107 e1.yaml:1:59"]
    assert wrong("{parameter_merge_strategies: {b: merge}, parameters: {b: true}}", "{parameter_merge_strategies: {b: merge}, parameters: {b: true}}") == [
        "E107 e1.yaml:1:55"
    ]


@pytest.mark.parametrize(("text", "expected"), [
    ("[a]", "E101 e0.yaml:1:1"),
    ("paramters: {}", "E103 e0.yaml:1:1"),
    ("parameters:", "E104 e0.yaml:1:1"),
    ("parameters: [a]", "E105 e0.yaml:1:13"),
    ("parameter_merge_strategies: {s: add}", "E106 e0.yaml:1:33"),
    ("encrypted_param_names: {a: b}", "E105 e0.yaml:1:24"),
    ("resource_registry: {'OS::X': [a]}", "E110 e0.yaml:1:30"),
    ("resource_registry: {resources: {a: {hooks: pre-make}}}", "E111 e0.yaml:1:44"),
    ("resource_registry: {resources: {a: {b: {'OS::X': y.yaml}}}}", "E112 e0.yaml:1:41"),
    ("resource_registry: {resources: {a: {restricted_actions: [delete]}}}", "E114 e0.yaml:1:58"),
    ("parameters: {t: a}", "P101 e0.yaml:1:14"),
    ("parameters: {n: five}", "P103 e0.yaml:1:14"),
    ("parameters: {a: b", "T101 e0.yaml:2:1"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, expected: str) -> None:
    assert wrong(text)[0] == expected


def test_what_has_no_effect_is_told() -> None:
    _, found = explored(PARAMETERS, "event_sinks: [{type: zaqar-queue, target: q}]", "resource_registry: {resources: {a: {hooks: [pre-create]}}}")
    assert [(d.code, d.severity) for d in found] == [("E109", "notice"), ("E108", "warning")]


CHILD = HOT + "parameters: {x: {type: string, default: none}}\nresources: {inner: {type: 'OS::Heat::Value', properties: {value: {get_param: x}}}}\n"


def kinds(text: str, *environments: str) -> dict[str, str]:
    found, diagnostics = explored(f"resources: {{{text}}}", *environments, files={"child.yaml": CHILD, "lib/child.yaml": CHILD})
    assert not diagnostics.errors, diagnostics.errors
    return {path: written.type for path, written in found.written.items()}


@pytest.mark.parametrize(("registry_text", "type_name", "expected"), [
    ("'My::Type': 'OS::Heat::None'", "My::Type", {"a": "OS::Heat::None"}),
    ("'My::*': 'OS::Heat::*'", "My::None", {"a": "OS::Heat::None"}),
    ("'My::*': 'OS::Heat::None'", "My::Thing", {"a": "OS::Heat::None"}),
    ("'My::One': 'My::Two', 'My::Two': 'OS::Heat::None'", "My::One", {"a": "OS::Heat::None"}),
    ("'My::Type': child.yaml", "My::Type", {"a/inner": "OS::Heat::Value"}),
    ("base_url: lib, 'My::Type': child.yaml", "My::Type", {"a/inner": "OS::Heat::Value"}),
    ("'My::Type': 'OS::Heat::None', resources: {a: {'My::Type': child.yaml}}", "My::Type", {"a/inner": "OS::Heat::Value"}),
    ("'My::Type': 'OS::Heat::None', resources: {b: {'My::Type': child.yaml}}", "My::Type", {"a": "OS::Heat::None"}),
    ("'OS::Heat::None': 'OS::Heat::None'", "OS::Heat::None", {"a": "OS::Heat::None"}),
    ("", "OS::Quantum::Net", {"a": "OS::Neutron::Net"}),
])  # fmt: skip
def test_types_that_stand_for_others(registry_text: str, type_name: str, expected: dict[str, str]) -> None:
    assert kinds(f"a: {{type: '{type_name}'}}", f"resource_registry: {{{registry_text}}}") == expected


def test_null_takes_an_entry_back() -> None:
    one, two = "resource_registry: {'OS::Heat::None': 'OS::Heat::Value'}", "resource_registry: {'OS::Heat::*': }"
    assert kinds("a: {type: 'OS::Heat::None'}", one, two) == {"a": "OS::Heat::None"}


def test_defaults_reach_nested_templates_and_restrictions_their_resource() -> None:
    env = "{parameter_defaults: {x: given}, resource_registry: {resources: {'a*': {restricted_actions: replace}}}}"
    found, diagnostics = explored("resources: {a: {type: child.yaml}, b: {type: 'OS::Heat::None'}}", env, files={"child.yaml": CHILD})
    assert not diagnostics.errors
    assert found.written["a/inner"].properties == {"value": "given"}
    assert found.written["b"].policies.replace == "allow"


ROLES = """
parameters:
  services: {type: comma_delimited_list, default: [My::Service::Time, My::Service::Gone]}
  count: {type: number, default: 0}
conditions: {some: {not: {equals: [{get_param: count}, 0]}}}
resources:
  secrets: {type: My::Secrets, properties: {anything: 1}}
  chain: {type: My::Services, properties: {services: {get_param: services}, secrets: {get_attr: [secrets, of, service]}}}
  role:
    type: OS::Heat::ResourceGroup
    condition: some
    properties: {count: {get_param: count}, resource_def: {type: My::Role, properties: {data: {get_attr: [chain, names]}}}}
  empty: {type: OS::Heat::ResourceGroup, properties: {count: {get_param: count}, resource_def: {type: My::Role}}}
  after: {type: My::After::Role, depends_on: role, properties: {servers: {get_attr: [empty, refs_map]}}}
outputs:
  names: {value: {get_attr: [chain, names]}}
  nothing: {value: {get_attr: [secrets, of, service]}}
  role: {value: {if: [some, {get_attr: [role, data]}, []]}}
  empty: {value: {get_attr: [empty, data]}}
"""
ROLE_FILES = {
    "services.yaml": HOT + """
parameters: {services: {type: comma_delimited_list, default: []}, secrets: {type: json, default: {}}}
resources:
  links:
    type: OS::Heat::ResourceChain
    properties: {resources: {list_concat: [{get_param: services}, []]}, resource_properties: {secrets: {get_param: secrets}}}
outputs:
  names: {value: {yaql: {expression: '$.data.where($ != null).select($.name)', data: {get_attr: [links, role_data]}}}}
""",
    "time.yaml": HOT + "parameters: {secrets: {type: json, default: {a: b}}}\noutputs: {role_data: {value: {name: time, secrets: {get_param: secrets}}}}\n",
    "role.yaml": HOT + """
parameters: {data: {type: json, default: []}}
resources: {v: {type: OS::Heat::Value, properties: {value: {get_param: data}}}}
outputs: {data: {value: {get_attr: [v, value]}}}
""",
}  # fmt: skip
ROLE_TYPES = """resource_registry:
  My::Secrets: OS::Heat::None
  My::Services: services.yaml
  My::Service::Time: time.yaml
  My::Service::Other: time.yaml
  My::Service::Gone: OS::Heat::None
  My::Role: role.yaml
  'My::After::*': OS::Heat::None
"""


def outputs(found: Any) -> dict[str, Any]:
    return {n: o.value for n, o in found.outputs.items()}


def test_roles_that_environment_files_leave_empty() -> None:
    """As in tripleo-heat-templates: what is not wanted is OS::Heat::None, whose attributes are null; services are a computed chain."""
    found, diagnostics = explored(ROLES, ROLE_TYPES, files=ROLE_FILES)
    assert not diagnostics.errors, diagnostics.errors
    assert outputs(found) == {"names": ["time"], "nothing": None, "role": [], "empty": []}
    assert {p: w.type for p, w in found.written.items()} == {"secrets": "OS::Heat::None", "chain/links/1": "OS::Heat::None", "after": "OS::Heat::None"}


def test_links_of_a_chain_come_from_the_environment() -> None:
    found, diagnostics = explored(ROLES, ROLE_TYPES, "parameters: {services: [My::Service::Other, My::Service::Other], count: 1}", files=ROLE_FILES)
    assert not diagnostics.errors, diagnostics.errors
    assert outputs(found)["names"] == ["time", "time"]
    assert "role/0/v" in found.written


@pytest.mark.parametrize(("resources", "code"), [("{get_attr: [v, value]}", "H142"), ("{get_param: text}", "H142"), ("{get_param: none}", "")])
def test_links_must_be_known_types(resources: str, code: str) -> None:
    text = f"""
parameters: {{text: {{type: json, default: {{a: b}}}}, none: {{type: comma_delimited_list}}}}
resources:
  w: {{type: OS::Heat::WaitConditionHandle}}
  v: {{type: OS::Heat::Value, properties: {{type: comma_delimited_list, value: {{get_attr: [w, endpoint]}}}}}}
  c: {{type: OS::Heat::ResourceChain, properties: {{resources: {resources}}}}}
"""
    found = {d.code for d in explored(text)[1].errors}
    assert ("H142" in found) is (code == "H142")
