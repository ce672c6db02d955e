"""What real 1.x templates do and the specification does not forbid: read, with a warning where it is loose; and what it forbids all the same."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tosca.tosca_cases import errors, read, warnings
from stackengine.model.expr import Expr, Literal

V10, V13 = "tosca_definitions_version: tosca_simple_yaml_1_0\n", "tosca_definitions_version: tosca_simple_yaml_1_3\n"
TWO = "tosca_definitions_version: tosca_2_0\n"

ACCEPTED = {
    "booleans of YAML 1.1": V10 + """
node_types:
  N: {derived_from: tosca.nodes.Root, properties: {one: {type: string, required: no}, two: {type: string, required: off}}}
topology_template: {node_templates: {n: {type: N}}}
""",
    "a capability refined by a cousin": V10 + """
capability_types:
  my.Endpoint: {derived_from: tosca.capabilities.Endpoint, properties: {dns: {type: string, required: false}}}
node_types:
  N: {derived_from: tosca.nodes.Compute, capabilities: {endpoint: {type: my.Endpoint}}}
topology_template: {node_templates: {n: {type: N, capabilities: {endpoint: {properties: {dns: a}}}}}}
""",
    "Container has the size of the machine before 1.2": V10 + """
capability_types: {my.Box: {derived_from: tosca.capabilities.Container, properties: {kind: {type: string, required: false}}}}
node_types: {N: {derived_from: tosca.nodes.Compute, capabilities: {host: {type: my.Box}}}}
topology_template:
  node_templates:
    n: {type: N, capabilities: {host: {properties: {num_cpus: 2, mem_size: 1 GB, kind: big}}}}
    app: {type: tosca.nodes.SoftwareComponent, requirements: [{host: {node: n, capability: tosca.capabilities.Container}}]}
""",
    "a zone of one digit": V13 + """
node_types: {N: {properties: {at: {type: timestamp}}}}
topology_template: {node_templates: {n: {type: N, properties: {at: '1975-09-15 12:34:56.7 +2'}}}}
""",
    "a property of the relationship, through the requirement": V13 + """
capability_types: {C: {}}
relationship_types: {R: {properties: {speed: {type: integer, required: false}}}}
node_types: {N: {properties: {p: {type: integer, required: false}}, capabilities: {c: C}, requirements: [{r: {capability: C, relationship: R, occurrences: [0, 1]}}]}}
topology_template:
  node_templates:
    a: {type: N}
    b: {type: N, properties: {p: {get_property: [SELF, r, speed]}}, requirements: [{r: {node: a, relationship: {properties: {speed: 7}}}}]}
""",
    "an artifact of the type, a part of it said again": V13 + """
node_types: {N: {artifacts: {image: {type: tosca.artifacts.File, file: a.img}}}}
topology_template: {node_templates: {n: {type: N, artifacts: {image: {deploy_path: /srv}}}}}
""",
    "a property mapped onto a property inside": V13 + """
node_types:
  Outer: {properties: {release: {type: string, required: false}}}
  Inner: {properties: {version: {type: string, required: false}}}
topology_template:
  node_templates: {inner: {type: Inner}}
  substitution_mappings: {node_type: Outer, properties: {release: [inner, version]}}
""",
    "an operation without anything, as an empty list": V13 + """
interface_types: {I: {derived_from: tosca.interfaces.Root, operations: {go: {}}}}
node_types: {N: {interfaces: {i: {type: I}}}}
topology_template: {node_templates: {n: {type: N, interfaces: {i: {operations: {go: []}}}}}}
""",
    "the header of the profile for network functions": "tosca_definitions_version: tosca_simple_profile_for_nfv_1_0_0\n" + """
topology_template: {node_templates: {n: {type: tosca.nodes.Compute}}}
""",
    "normative types that a file defines again": V13 + """
node_types:
  tosca.nodes.Root: {capabilities: {feature: {type: tosca.capabilities.Node}}}
  tosca.nodes.Compute: {derived_from: tosca.nodes.Root, capabilities: {host: {type: tosca.capabilities.Compute}}}
topology_template:
  node_templates:
    n: {type: tosca.nodes.Compute, capabilities: {host: {properties: {num_cpus: 2}}}}
    app: {type: tosca.nodes.SoftwareComponent, requirements: [{host: n}]}
""",
    "true and false in YAML's other spellings": TWO + "node_types: {N: {properties: {p: {type: string, required: False}}}}\n",
    "less memory than a guest can have": V13 + """
topology_template: {node_templates: {n: {type: tosca.nodes.Compute, capabilities: {host: {properties: {mem_size: 4 MB}}}}}}
""",
}  # fmt: skip

REFUSED = {
    "2.0 has rules of refinement": ("S223", TWO + """
capability_types: {A: {}, B: {}}
node_types: {M: {capabilities: {c: A}}, N: {derived_from: M, capabilities: {c: B}}}
"""),
    "2.0 knows only true and false": ("S200", TWO + "node_types: {N: {properties: {p: {type: string, required: no}}}}\n"),
    "2.0 has no empty lists for maps": ("S200", TWO + "node_types: {N: {properties: []}}\n"),
    "2.0 has true and false in small letters": ("S232", TWO + "node_types: {N: {}, M: {properties: {p: {type: boolean, default: True}}}}\n"),
    "2.0 has no text for a keyname that is true or false": ("S200", TWO + "node_types: {N: {properties: {p: {type: string, required: 'true'}}}}\n"),
    "2.0 has nothing but null for nil": ("S232", TWO + "node_types: {N: {properties: {p: {type: nil, default: ~}}}}\n"),
    "2.0 has versions as text": ("S232", TWO + "node_types: {N: {properties: {p: {type: version, default: 2.0}}}}\n"),
    "2.0 has no default for an input that is not required": ("S236", TWO + """
service_template: {inputs: {i: {type: string, required: false, default: x}}, node_templates: {}}
"""),
    "2.0 has a value or a mapping": ("S236", TWO + """
node_types: {N: {attributes: {a: {type: string}}}}
service_template: {node_templates: {n: {type: N}}, outputs: {o: {type: string, value: x, mapping: [n, a]}}}
"""),
    "2.0 has no index outside of nodes": ("S243", TWO + "service_template: {node_templates: {}, outputs: {o: {value: $node_index}}}\n"),
    "2.0 has remainders of whole numbers": ("S241", TWO + "service_template: {node_templates: {}, outputs: {o: {value: {$remainder: [1.5, 1]}}}}\n"),
    "2.0 rounds numbers": ("S241", TWO + "service_template: {node_templates: {}, outputs: {o: {value: {$round: [a]}}}}\n"),
    "2.0 has ranges of two bounds": ("S238", TWO + "data_types: {D: {derived_from: integer, validation: {$in_range: [$value, [1]]}}}\n"),
    "an input that is not there": ("S290", V13 + """
node_types: {Outer: {properties: {release: {type: string, required: false}}}}
topology_template:
  node_templates: {n: {type: tosca.nodes.Root}}
  substitution_mappings: {node_type: Outer, properties: {release: [version]}}
"""),
    "a node that is not inside": ("S290", V13 + """
node_types: {Outer: {properties: {release: {type: string, required: false}}}}
topology_template:
  node_templates: {n: {type: tosca.nodes.Root}}
  substitution_mappings: {node_type: Outer, properties: {release: [other, version]}}
"""),
    "2.0 has no range upside down": ("S238", TWO + "data_types: {D: {derived_from: integer, validation: {$in_range: [$value, [5, 1]]}}}\n"),
    "a range upside down": ("S238", V13 + "data_types: {D: {derived_from: integer, constraints: [{in_range: [5, 1]}]}}\n"),
    "an attribute that is mapped to several outputs": ("S290", TWO + """
node_types: {N: {attributes: {a: {type: string}}}, M: {}}
service_template:
  node_templates: {m: {type: M}}
  outputs: {o: {value: x}, p: {value: y}}
  substitution_mappings: {node_type: N, attributes: {a: [o, p]}}
"""),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    assert errors(ACCEPTED[case]) == []


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    code, text = REFUSED[case]
    assert [e.split()[0] for e in errors(text)] == [code]


def test_loose_ways_are_told() -> None:
    assert warnings(ACCEPTED["booleans of YAML 1.1"]).count("S203") == 2
    assert "S203" in warnings(ACCEPTED["a capability refined by a cousin"])
    assert warnings(ACCEPTED["a zone of one digit"]) == []


def literal(expr: Expr | None) -> Any:
    assert isinstance(expr, Literal)
    return expr.value


def test_a_normative_type_that_is_defined_again_is_what_it_was() -> None:
    template, _ = read(ACCEPTED["normative types that a file defines again"])
    assert template is not None
    assert (template.resources["n"].stands_for or template.resources["n"].type) == "tosca.nodes.Compute"
    assert literal(template.resources["n"].properties.get("host.num_cpus")) == 2


def test_the_profile_of_network_functions_is_missed_once() -> None:
    text = V13 + """
node_types: {my.VNF: {derived_from: tosca.nodes.nfv.VNF, properties: {a: {type: tosca.datatypes.nfv.Qos}}}}
topology_template:
  node_templates:
    v: {type: my.VNF, properties: {descriptor_id: x}, requirements: [{virtual_link: w}], capabilities: {c: {}}}
    w: {type: tosca.nodes.nfv.VnfVirtualLink, properties: {b: 1}}
"""  # fmt: skip
    assert [e.split()[0] for e in errors(text)] == ["S214"]


def test_nothing_is_said_of_what_an_unknown_type_may_have() -> None:
    text = V13 + """
node_types: {N: {derived_from: lost.Base, properties: {a: {type: string}}}}
topology_template:
  node_templates:
    n: {type: N, properties: {b: 1}, capabilities: {c: {properties: {d: 1}}}, requirements: [{r: m}]}
    m: {type: tosca.nodes.Root}
  outputs: {o: {value: {get_property: [n, b]}}}
"""  # fmt: skip
    assert [e.split()[0] for e in errors(text)] == ["S220"]


def test_files_of_1_x_know_what_is_imported_beside_them() -> None:
    files = {
        "a.yaml": V13 + "node_types: {A: {derived_from: B, properties: {p: {type: D, required: false}}}}\n",
        "b.yaml": V13 + "node_types: {B: {derived_from: tosca.nodes.Root}}\ndata_types: {D: {derived_from: string}}\n",
    }
    text = V13 + "imports: [a.yaml, b.yaml]\ntopology_template: {node_templates: {n: {type: A, properties: {p: x}}}}\n"
    _, diagnostics = read(text, files)
    assert not diagnostics.errors
    assert [(d.code, d.mark.file, d.mark.line) for d in diagnostics if d.severity == "warning"] == [("S203", "a.yaml", 2), ("S203", "a.yaml", 2)]
    two = {n: t.replace("tosca_simple_yaml_1_3", "tosca_2_0").replace("tosca.nodes.Root", "B0") for n, t in files.items()}
    two["b.yaml"] = two["b.yaml"].replace("B: {", "B0: {}, B: {")
    assert {e.split()[0] for e in errors(text.replace("tosca_simple_yaml_1_3", "tosca_2_0").replace("topology", "service"), two)} == {"S220"}


def test_a_property_through_a_requirement_has_its_value() -> None:
    template, diagnostics = read(ACCEPTED["a property of the relationship, through the requirement"])
    assert template is not None
    assert not diagnostics.errors
    assert literal(template.resources["b"].properties.get("p")) == 7


def test_what_nothing_is_made_of_is_told() -> None:
    text = V13 + """
topology_template:
  node_templates:
    n:
      type: tosca.nodes.Compute
      capabilities: {scalable: {properties: {min_instances: 1, max_instances: 4}}, endpoint: {properties: {protocol: http}}}
"""
    told = [d for d in read(text)[1] if d.code == "S264"]
    assert [d.summary.partition("of ")[2] for d in told] == ["scalable.max_instances, endpoint.protocol"]
