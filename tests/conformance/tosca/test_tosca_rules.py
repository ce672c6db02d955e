"""Rules of the specification, one by one: documents that keep them are read, those that break them are refused with the right code at the right line."""

from __future__ import annotations

import pytest

from conformance.tosca.tosca_cases import read

TWO = "tosca_definitions_version: tosca_2_0\n"
ONE = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
BASE = """
capability_types:
  Host: {properties: {cpus: {type: integer, default: 2}, name: {type: string, required: false}}}
  Other: {}
relationship_types:
  HostedOn: {valid_capability_types: [Host], properties: {speed: {type: integer, required: false}}}
interface_types:
  Life: {operations: {create: {inputs: {mode: {type: string, required: false}}}, stop: {}}}
data_types:
  Port: {derived_from: integer, validation: {$in_range: [$value, [1, 65535]]}}
  Size: {derived_from: scalar, units: {B: 1, kB: 1000, MB: 1000000}}
  Pair: {properties: {low: {type: integer}, high: {type: integer}}, validation: {$greater_or_equal: [{$value: [high]}, {$value: [low]}]}}
node_types:
  Server: {capabilities: {host: Host}, attributes: {ip: {type: string}}}
  App:
    properties:
      port: {type: Port, required: false}
      size: {type: Size, required: false}
      name: {type: string, required: false}
      pair: {type: Pair, required: false}
      list: {type: list, entry_schema: integer, required: false}
      map: {type: map, entry_schema: {type: string}, required: false}
      when: {type: timestamp, required: false}
      on: {type: boolean, required: false}
      ratio: {type: float, required: false}
      data: {type: bytes, required: false}
      nothing: {type: nil, required: false}
      release: {type: version, required: false}
    requirements:
    - host: {capability: Host, relationship: HostedOn, count_range: [0, 2]}
    interfaces: {life: {type: Life}}
  Needs: {properties: {must: {type: string}}}
"""
NODE = TWO + BASE + "service_template:\n  node_templates:\n    server: {type: Server}\n    app:\n      type: App\n"


def app(body: str) -> str:
    return NODE + "".join(f"      {line}\n" for line in body.strip("\n").split("\n"))


VALID = {
    "types only": TWO + BASE,
    "a property of every type": app(
        """properties:
  port: 80
  size: 10 MB
  name: "0.1"
  pair: {low: 1, high: 2}
  list: [1, 2]
  map: {a: b}
  when: "2026-04-14T09:30:00Z"
  on: true
  ratio: 10
  data: aGVsbG8=
  nothing: null
  release: 1.0.2"""
    ),
    "requirement by name": app("requirements: [{host: server}]"),
    "requirement twice": app("requirements: [{host: server}, {host: {node: server, optional: true}}]"),
    "requirement by type": app("requirements: [{host: {node: Server}}]"),
    "requirement with a filter": app("requirements: [{host: {node: server, node_filter: {$equal: [{$get_property: [SELF, CAPABILITY, cpus]}, 2]}}}]"),
    "requirement with an allocation": app("requirements: [{host: {node: server, allocation: {cpus: 2}}}]"),
    "requirement with an index": app("requirements: [{host: [server, 0]}]"),
    "relationship in place": app("requirements: [{host: {node: server, relationship: {type: HostedOn, properties: {speed: 1}}}}]"),
    "escaped dollars": app("properties: {name: $$name, map: {$$key: $$value}}"),
    "operation in short": app("interfaces: {life: {operations: {create: x.sh}}}"),
    "operation with inputs": app("interfaces: {life: {operations: {create: {implementation: {primary: x.sh, dependencies: [y.sh]}, inputs: {mode: fast, more: 1}}}}}"),
    "artifacts": TWO + BASE + "artifact_types: {Script: {file_ext: [sh]}}\nservice_template:\n  node_templates:\n    a: {type: Server, artifacts: {s: {type: Script, file: x.sh}}}\n",
    "functions": app("properties: {name: {$concat: [a, {$get_property: [server, CAPABILITY, host, cpus]}]}}") .replace("{$get_property: [server, CAPABILITY, host, cpus]}", "b"),
    "get_property of a capability": app("properties: {ratio: {$get_property: [server, CAPABILITY, host, cpus]}}"),
    "get_property through a relationship": app("requirements: [{host: server}]\nproperties: {ratio: {$get_property: [SELF, RELATIONSHIP, host, CAPABILITY, cpus]}}"),
    "get_attribute": app("properties: {name: {$get_attribute: [server, ip]}}"),
    "select": app("directives: [select]\nnode_filter: {$equal: [{$get_property: [SELF, name]}, x]}"),
    "count": app("count: 3\nproperties: {port: {$sum: [8000, $node_index]}}"),
    "a nested function": app("properties: {on: {$and: [{$equal: [1, 1]}, {$not: [{$equal: [1, 2]}]}]}}"),
    "a derived type that narrows": TWO + BASE + "  Small: {derived_from: App, properties: {port: {validation: {$less_than: [$value, 1024]}}, name: fixed}}\n",
    "a fixed value by a short form": TWO + BASE + "  Named: {derived_from: App, properties: {name: x}}\n",
    "a scalar with prefixes": TWO + "data_types:\n  Length: {derived_from: scalar, units: {m: 1}, prefixes: {k: 1000, c: 0.01}}\nnode_types:\n  N: {properties: {l: {type: Length, default: 12 cm}}}\n",
    "groups and policies": NODE.replace("node_types:", "group_types:\n  G: {members: [Server]}\npolicy_types:\n  P: {targets: [Server, G]}\nnode_types:")
    + "  groups: {g: {type: G, members: [server]}}\n  policies:\n  - p: {type: P, targets: [server, g]}\n",
    "a workflow": NODE + "  workflows:\n    w:\n      steps:\n        a: {target: app, activities: [{set_state: started}, {call_operation: life.create}], on_success: [b]}\n        b: {target: server, activities: [{inline: v}]}\n    v: {steps: {}}\n",
    "substitution mappings": TWO + BASE + "service_template:\n  inputs: {n: {type: string}}\n  substitution_mappings:\n    node_type: App\n    properties: {name: n}\n    requirements:\n    - host: [inner, host]\n  node_templates:\n    inner: {type: App}\n  outputs: {}\n",
    "keys that are lists": TWO + BASE + "service_template:\n  inputs: {n: {type: integer}}\n  substitution_mappings:\n    node_type: Server\n    properties:\n      ? [CAPABILITY, host, cpus]\n      : n\n    capabilities: {host: [s, host]}\n  node_templates: {s: {type: Server}}\n",
    "dangling requirement that another fulfils": TWO + BASE.replace("[0, 2]", "[1, 2]") + "service_template:\n  node_templates:\n    server: {type: Server}\n    app: {type: App}\n",
    "custom function": TWO + "functions:\n  twice: {signatures: [{arguments: [integer], result: integer, implementation: f.py}]}\nnode_types: {N: {properties: {p: {type: integer, default: {$twice: [4]}}}}}\n",
    "1.3: one of each": ONE + """
topology_template:
  inputs:
    cpus: {type: integer, default: 2, constraints: [{in_range: [1, 4]}]}
    size: {type: scalar-unit.size, default: 1 GB, constraints: [{greater_or_equal: 1 MB}]}
  node_templates:
    app:
      type: tosca.nodes.WebApplication
      properties: {context_root: {concat: [/, {get_property: [SELF, host, component_version]}]}}
      requirements: [{host: web}]
    web:
      type: WebServer
      properties: {component_version: "2.4"}
      requirements: [{host: {node: tosca.nodes.Compute, node_filter: {capabilities: [{host: {properties: [{num_cpus: {greater_or_equal: 2}}]}}]}}}]
    small: {type: tosca.nodes.Compute, capabilities: {host: {properties: {num_cpus: 1}}}}
    large: {type: "tosca:Compute", capabilities: {host: {properties: {num_cpus: {get_input: cpus}, mem_size: {get_input: size}}}}}
    disk: {type: tosca.nodes.BlockStorage, properties: {size: 10 GB}}
  outputs:
    ip: {value: {get_attribute: [large, private_address]}}
    first: {value: {token: [{get_attribute: [large, public_address]}, ".", 0]}}
    joined: {value: {join: [[a, b], "-"]}}
    found: {value: {get_nodes_of_type: tosca.nodes.Compute}}
""",
    "1.0: operations stand in the interface": "tosca_definitions_version: tosca_simple_yaml_1_0\n" + """
topology_template:
  node_templates:
    server: {type: tosca.nodes.Compute}
    db:
      type: tosca.nodes.DBMS
      requirements: [{host: server}]
      interfaces:
        tosca.interfaces.node.lifecycle.Standard:
          create: {implementation: create.sh, inputs: {port: {get_property: [SELF, port]}}}
          start: start.sh
      properties: {port: 3306}
""",
}  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_a_document_that_keeps_the_rules_is_read(name: str) -> None:
    template, diagnostics = read(VALID[name])
    assert [f"{d.code} {d.mark.line} {d.summary} [{d.hint}]" for d in diagnostics.errors] == []
    assert template is not None


T = TWO + BASE
INVALID: dict[str, tuple[str, str, str]] = {
    "unknown version": ("S101", "tosca_3_0", "tosca_definitions_version: tosca_3_0\n"),
    "the version is not first": ("S206", "node_types", "node_types: {}\n" + TWO),
    "a profile with a service": ("S207", "service_template", TWO + "profile: x\nservice_template: {node_templates: {}}\n"),
    "unknown profile": ("S212", "nobody", TWO + "imports: [{profile: nobody}]\n"),
    "missing import": ("S210", "nothing.yaml", TWO + "imports: [nothing.yaml]\n"),
    "url and profile": ("S201", "profile", TWO + "imports: [{url: x, profile: y}]\n"),
    "unknown repository": ("S213", "shelf", TWO + "imports: [{url: x, repository: shelf}]\n"),
    "remote import": ("X121", "https", TWO + "imports: ['https://example.org/x.yaml']\n"),
    "unknown parent": ("S220", "Nobody", TWO + "node_types: {N: {derived_from: Nobody}}\n"),
    "a type of another kind": ("S222", "derived_from: C", TWO + "capability_types: {C: {}}\nnode_types: {N: {derived_from: C}}\n"),
    "a circle of types": ("S221", "derived_from", TWO + "node_types: {A: {derived_from: B}, B: {derived_from: A}}\n"),
    "a property that changes its type": ("S223", "type: string}}}", T + "  D: {derived_from: App, properties: {port: {type: string}}}\n"),
    "required becomes optional": ("S223", "required: false}}}", T + "  D: {derived_from: Needs, properties: {must: {type: string, required: false}}}\n"),
    "a count that grows": ("S223", "[0, 9]", T + "  D: {derived_from: App, requirements: [{host: {count_range: [0, 9]}}]}\n"),
    "a capability of another type": ("S223", "Other}}", T + "  D: {derived_from: Server, capabilities: {host: Other}}\n"),
    "a wider list": ("S224", "H:", T + "group_types:\n  G: {members: [App]}\n  H: {derived_from: G, members: [Server]}\n"),
    "a default without need": ("S236", "default: x", TWO + "node_types: {N: {properties: {p: {type: string, required: false, default: x}}}}\n"),
    "a default of the wrong type": ("S232", "default: x", TWO + "node_types: {N: {properties: {p: {type: integer, default: x}}}}\n"),
    "a default against the rule": ("S233", "default: 9", TWO + "node_types: {N: {properties: {p: {type: integer, default: 9, validation: {$less_than: [$value, 5]}}}}}\n"),
    "a list without entries' type": ("S235", "type: list", TWO + "node_types: {N: {properties: {p: {type: list}}}}\n"),
    "entries of what has none": ("S235", "entry_schema", TWO + "node_types: {N: {properties: {p: {type: string, entry_schema: string}}}}\n"),
    "keys that are no texts": ("S235", "key_schema", TWO + "node_types: {N: {properties: {p: {type: map, key_schema: integer, entry_schema: string}}}}\n"),
    "a data type of nothing": ("S235", "D: {}", TWO + "data_types: {D: {}}\n"),
    "properties of a string": ("S235", "properties", TWO + "data_types: {D: {derived_from: string, properties: {p: {type: string}}}}\n"),
    "a reserved name": ("S235", "string:", TWO + "data_types: {string: {derived_from: integer}}\n"),
    "a scalar without units": ("S237", "D:", TWO + "data_types: {D: {derived_from: scalar}}\n"),
    "no unit worth one": ("S237", "units", TWO + "data_types: {D: {derived_from: scalar, units: {km: 1000}}}\n"),
    "a unit that is no number": ("S237", "units", TWO + "data_types: {D: {derived_from: scalar, units: {m: 1, km: many}}}\n"),
    "a broken unit for whole numbers": ("S237", "units", TWO + "data_types: {D: {derived_from: scalar, data_type: integer, units: {m: 1, cm: 0.01}}}\n"),
    "two canonical units": ("S237", "D:", TWO + "data_types: {D: {derived_from: scalar, units: {m: 1, meter: 1}}}\n"),
    "an unknown canonical unit": ("S237", "canonical", TWO + "data_types: {D: {derived_from: scalar, units: {m: 1}, canonical_unit: km}}\n"),
    "a rule that is no condition": ("S238", "$length", TWO + "data_types: {D: {derived_from: string, validation: {$length: [$value]}}}\n"),
    "an unknown function in a rule": ("S240", "$shorter", TWO + "data_types: {D: {derived_from: string, validation: {$shorter: [$value, 5]}}}\n"),
    "too few arguments in a rule": ("S241", "[$value]", TWO + "data_types: {D: {derived_from: string, validation: {$equal: [$value]}}}\n"),
    "an unknown constraint": ("S238", "shorter_than", ONE + "data_types: {D: {derived_from: string, constraints: [{shorter_than: 5}]}}\n"),
    "a range of one": ("S238", "in_range", ONE + "data_types: {D: {derived_from: integer, constraints: [{in_range: [5]}]}}\n"),
    "a pattern that is none": ("S238", "pattern", ONE + "data_types: {D: {derived_from: string, constraints: [{pattern: '['}]}}\n"),
    "a requirement without relationship": ("S201", "r:", TWO + "capability_types: {C: {}}\nnode_types: {N: {requirements: [{r: {capability: C}}]}}\n"),
    "a requirement twice": ("S205", "r:", TWO + "capability_types: {C: {}}\nrelationship_types: {R: {}}\nnode_types: {N: {requirements: [{r: {capability: C, relationship: R}}, {r: {capability: C, relationship: R}}]}}\n"),
    "a wrong range": ("S254", "[2, 1]", TWO + "capability_types: {C: {}}\nrelationship_types: {R: {}}\nnode_types: {N: {requirements: [{r: {capability: C, relationship: R, count_range: [2, 1]}}]}}\n"),
    "a capability's new property": ("S230", "speed", T + "  D: {capabilities: {host: {type: Host, properties: {speed: {type: integer}}}}}\n"),
    "an interface without type": ("S201", "life", T + "  D: {interfaces: {life: {operations: {create: {}}}}}\n"),
    "an operation that the type lacks": ("S272", "begin", T + "  D: {interfaces: {life: {type: Life, operations: {begin: {}}}}}\n"),
    "an implementation in an interface type": ("S271", "go:", TWO + "interface_types: {I: {operations: {go: {implementation: x.sh}}}}\n"),
    "an artifact without file": ("S201", "s:", T + "  D: {artifacts: {s: {type: Script}}}\nartifact_types: {Script: {}}\n"),
    "a checksum without algorithm": ("S274", "s:", T + "  D: {artifacts: {s: {type: Script, file: x, checksum: aa}}}\nartifact_types: {Script: {}}\n"),
    "a version that is none": ("S232", "version", TWO + "node_types: {N: {version: newest}}\n"),
    "a signature that is missing": ("S201", "f:", TWO + "functions: {f: {description: x}}\n"),
    "an unknown type of node": ("S220", "Nobody", T + "service_template: {node_templates: {a: {type: Nobody}}}\n"),
    "a missing type": ("S201", "a: {}", T + "service_template: {node_templates: {a: {}}}\n"),
    "an unknown property": ("S230", "prot", app("properties: {prot: 80}")),
    "a missing property": ("S231", "n: {type: Needs}", T + "service_template: {node_templates: {n: {type: Needs}}}\n"),
    "an integer that is text": ("S232", "eighty", app("properties: {port: eighty}")),
    "a number out of range": ("S233", "70000", app("properties: {port: 70000}")),
    "an unknown unit": ("S232", "10 TB", app("properties: {size: 10 TB}")),
    "a size without unit": ("S232", "size: 10", app("properties: {size: 10}")),
    "text that is a number": ("S232", "0.1", app("properties: {name: 0.1}")),
    "a rule between properties": ("S233", "low: 3", app("properties: {pair: {low: 3, high: 2}}")),
    "an incomplete pair": ("S231", "low: 3", app("properties: {pair: {low: 3}}")),
    "an entry of the wrong type": ("S232", "[1, x]", app("properties: {list: [1, x]}")),
    "a list that is none": ("S232", "list: 1", app("properties: {list: 1}")),
    "a timestamp that is none": ("S232", "tomorrow", app("properties: {when: tomorrow}")),
    "a boolean that is text": ("S232", '"true"', app('properties: {on: "true"}')),
    "bytes that are none": ("S232", "data: '***'", app("properties: {data: '***'}")),
    "nil that is something": ("S232", "nothing: 1", app("properties: {nothing: 1}")),
    "a version that no version is": ("S232", "release: new", app("properties: {release: new}")),
    "null for text": ("S232", "name: null", app("properties: {name: null}")),
    "an unknown attribute": ("S230", "address", NODE.replace("server: {type: Server}", "server: {type: Server, attributes: {address: x}}")),
    "an unknown capability": ("S260", "hsot", NODE.replace("server: {type: Server}", "server: {type: Server, capabilities: {hsot: {}}}")),
    "a capability's unknown property": ("S230", "cpu:", NODE.replace("server: {type: Server}", "server: {type: Server, capabilities: {host: {properties: {cpu: 1}}}}")),
    "an unknown requirement": ("S250", "hosted", app("requirements: [{hosted: server}]")),
    "an unknown target": ("S251", "sever", app("requirements: [{host: sever}]")),
    "a target without the capability": ("S252", "host: other", app("requirements: [{host: other}]") + "    other: {type: Needs, properties: {must: x}}\n"),
    "too many targets": ("S254", "count: 3", app("requirements: [{host: {node: server, count: 3}}]")),
    "a filter that the target fails": ("S253", "node_filter", app("requirements: [{host: {node: server, node_filter: {$equal: [{$get_property: [SELF, CAPABILITY, cpus]}, 4]}}}]")),
    "an allocation that is too much": ("S253", "allocation", app("requirements: [{host: {node: server, allocation: {cpus: 3}}}]")),
    "an allocation of nothing": ("S230", "allocation", app("requirements: [{host: {node: server, allocation: {gpus: 3}}}]")),
    "an unknown relationship": ("S256", "Riding", app("requirements: [{host: {node: server, relationship: Riding}}]")),
    "a relationship's unknown property": ("S230", "sped", app("requirements: [{host: {node: server, relationship: {type: HostedOn, properties: {sped: 1}}}}]")),
    "an unknown directive": ("S204", "choose", app("directives: [choose]")),
    "a copy of nothing": ("S208", "copy", app("copy: nobody")),
    "a copy of a copy": ("S208", "copy: app", app("copy: server") + "    third: {type: App, copy: app}\n"),
    "an unknown interface": ("S270", "lief", app("interfaces: {lief: {operations: {create: x.sh}}}")),
    "an unknown operation": ("S272", "begin", app("interfaces: {life: {operations: {begin: x.sh}}}")),
    "an unknown input": ("S242", "who", app("properties: {name: {$get_input: who}}")),
    "an unknown function": ("S240", "$glue", app("properties: {name: {$glue: [a, b]}}")),
    "a function beside another key": ("S241", "$concat", app("properties: {map: {$concat: [a], b: c}}")),
    "an unknown node in a function": ("S243", "nobody", app("properties: {name: {$get_attribute: [nobody, ip]}}")),
    "an unknown property in a function": ("S243", "prot", app("properties: {name: {$get_property: [SELF, prot]}}")),
    "a property of itself": ("S244", "$get_property", app("properties: {name: {$get_property: [SELF, name]}}")),
    "a function of the wrong type": ("S245", "$length", app("properties: {name: {$length: [abc]}}")),
    "$value in a template": ("S246", "$value", app("properties: {port: $value}")),
    "a function in the way of 1.x": ("S232", "get_input", app("properties: {port: {get_input: x}}")),
    "an unknown member": ("S280", "nobody", NODE + "  groups: {g: {type: G, members: [nobody]}}\ngroup_types: {G: {}}\n"),
    "a member of the wrong type": ("S281", "[app]", NODE + "  groups: {g: {type: G, members: [app]}}\ngroup_types: {G: {members: [Server]}}\n"),
    "an unknown target of a policy": ("S280", "nobody", NODE + "  policies: [{p: {type: P, targets: [nobody]}}]\npolicy_types: {P: {}}\n"),
    "a target of the wrong type": ("S281", "[app]", NODE + "  policies: [{p: {type: P, targets: [app]}}]\npolicy_types: {P: {targets: [Server]}}\n"),
    "an unknown step": ("S286", "on_success", NODE + "  workflows: {w: {steps: {a: {target: app, activities: [{set_state: x}], on_success: [b]}}}}\n"),
    "an unknown target of a step": ("S286", "nobody", NODE + "  workflows: {w: {steps: {a: {target: nobody, activities: [{set_state: x}]}}}}\n"),
    "an unknown activity": ("S287", "dance", NODE + "  workflows: {w: {steps: {a: {target: app, activities: [{dance: x}]}}}}\n"),
    "an unknown operation of a step": ("S288", "life.begin", NODE + "  workflows: {w: {steps: {a: {target: app, activities: [{call_operation: life.begin}]}}}}\n"),
    "a mapping of nothing": ("S290", "nobody", NODE + "  substitution_mappings: {node_type: Server, capabilities: {host: [nobody, host]}}\n"),
    "an input that no property gives": ("S291", "inputs", T + "service_template:\n  inputs: {n: {type: string}}\n  substitution_mappings: {node_type: Server}\n  node_templates: {s: {type: Server}}\n"),
    "more mandatory requirements than sure": ("S292", "- host", T.replace("[0, 2]", "[1, 2]") + "service_template:\n  substitution_mappings:\n    node_type: App\n    requirements:\n    - host: [a, host]\n    - host: [b, host]\n  node_templates: {a: {type: App}, b: {type: App}}\n"),
    "an input against its rule": ("S233", "default: 9", NODE + "  inputs: {n: {type: integer, default: 9, validation: {$less_than: [$value, 5]}}}\n"),
    "a key of 1.x": ("S202", "topology_template", TWO + "topology_template: {}\n"),
    "a key of 2.0": ("S202", "service_template", ONE + "service_template: {}\n"),
    "a value that an earlier type fixed": ("S234", "name: y", T + "  D: {derived_from: App, properties: {name: x}}\nservice_template: {node_templates: {d: {type: D, properties: {name: y}}}}\n"),
    "tags": ("T115", "!Ref", app("properties: {name: !Ref x}")),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_a_document_that_breaks_a_rule_is_refused(name: str) -> None:
    code, where, text = INVALID[name]
    _, diagnostics = read(text)
    found = [d for d in diagnostics.errors if d.code == code]
    assert found, [f"{d.code} {d.mark.line} {d.summary}" for d in diagnostics]
    lines = text.split("\n")
    assert any(where in lines[d.mark.line - 1] for d in found), [(lines[d.mark.line - 1], d.mark.line) for d in found]
