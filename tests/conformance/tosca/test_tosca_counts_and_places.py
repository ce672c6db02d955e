"""How many servers a node template stands for, and where policies want them."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tosca.tosca_cases import codes, read
from stackengine import registry
from stackengine.evaluate import evaluate

TYPES = registry.load(entry_points=False)
V13 = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
FILES = {"a.sh": "#!/bin/sh\n"}

SEVERAL = V13 + """
topology_template:
  inputs: {n: {type: integer, default: 2}}
  node_templates:
    s:
      type: tosca.nodes.Compute
      properties: {image: tiny}
      capabilities: {scalable: {properties: {COUNT, max_instances: 3}}}
      requirements: [{local_storage: {node: disk, relationship: {type: tosca.relationships.AttachesTo, properties: {location: /srv}}}}]
    disk: {type: tosca.nodes.Storage.BlockStorage, properties: {size: 1 GB}}
    port: {type: tosca.nodes.network.Port, requirements: [{link: net}, {binding: s}]}
    net: {type: tosca.nodes.network.Network, properties: {cidr: 10.0.0.0/24}}
    app:
      type: tosca.nodes.SoftwareComponent
      requirements: [{host: s}]
      interfaces:
        Standard:
          operations:
            create:
              implementation: a.sh
              inputs:
                own: {get_attribute: [HOST, private_address]}
                through: {get_attribute: [SELF, host, private_address]}
                first: {get_attribute: [s, private_address]}
            start: {implementation: a.sh, inputs: {said: {get_operation_output: [SELF, Standard, create, word]}}}
  outputs: {address: {value: {get_attribute: [s, private_address]}}}
"""


def made(text: str, **parameters: str) -> dict[str, Any]:
    template, diagnostics = read(text, FILES)
    assert template is not None
    found = evaluate(template, parameters, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    assert found is not None, [f"{d.code} {d.summary}" for d in diagnostics]
    return found.desired.resources


def said(value: Any) -> str:
    return value.describe().removeprefix("known after apply (").removesuffix(")")


@pytest.mark.parametrize("count", ["default_instances: {get_input: n}", "count: 2"])
def test_a_server_that_scales_is_there_as_often_as_it_says_at_first_with_all_that_belongs_to_it(count: str) -> None:
    found = made(SEVERAL.replace("COUNT", count))
    names = ("s", "disk", "port", "s_disk", "app_create", "app_start")
    assert {n for n in found if n.partition("/")[0] in names} == {f"{n}/{i}" for n in names for i in (0, 1)}
    assert said(found["s/1"].properties["networks"][0]["port"]) == "port/1"
    assert (said(found["s_disk/1"].properties["server"]), said(found["s_disk/1"].properties["volume"])) == ("s/1", "disk/1")
    create, start = found["app_create/1"].properties, found["app_start/1"].properties
    assert said(create["server"]) == "s/1"
    assert {n: said(v) for n, v in create["inputs"].items()} == {"own": "s/1.address", "through": "s/1.address", "first": "s/0.address"}
    assert "app_create/1.outputs" in said(start["inputs"]["said"])


def test_one_stays_one() -> None:
    found = made(SEVERAL.replace("COUNT", "default_instances: 1"))
    assert {"s", "disk", "port", "s_disk", "app_create"} <= set(found)


def test_a_bigger_number_in_an_update_adds_one() -> None:
    text = SEVERAL.replace("COUNT", "default_instances: {get_input: n}")
    assert set(made(text, n="3")) - set(made(text)) == {f"{n}/2" for n in ("s", "disk", "port", "s_disk", "app_create", "app_start")}


@pytest.mark.parametrize("count", ["default_instances: 4", "count: -1", "default_instances: 1, min_instances: 2"])
def test_a_number_out_of_its_bounds_is_refused(count: str) -> None:
    assert set(codes(SEVERAL.replace("COUNT", count), FILES)) == {"S254"}


PLACED = V13 + """
policy_types:
  my.AntiAffinity: {derived_from: tosca.policies.Placement}
  my.Placement:
    derived_from: tosca.policies.Placement
    properties: {policy: {type: string, default: affinity}, strict: {type: boolean, default: true}, why: {type: string, required: false}}
topology_template:
  inputs: {zone: {type: string, default: east}}
  node_templates:
    a: {type: tosca.nodes.Compute, properties: {image: tiny}}
    b: {type: tosca.nodes.Compute, properties: {image: tiny, placement: {zone: own}}}
    app: {type: tosca.nodes.SoftwareComponent, requirements: [{host: b}]}
    net: {type: tosca.nodes.network.Network, properties: {cidr: 10.0.0.0/24}}
  groups: {g: {type: tosca.groups.Root, members: [a, app]}}
  policies:
    - p: {POLICY}
"""
GROUPS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "type: my.AntiAffinity, targets: [g]": ({"policy": "anti-affinity"}, ["p"], ["p"]),
    "type: my.Placement, targets: [a, b], properties: {policy: anti-affinity, strict: false}": ({"policy": "soft-anti-affinity"}, ["p"], ["p"]),
    "type: my.Placement, targets: [a, b]": ({"policy": "affinity"}, ["p"], ["p"]),
    "type: tosca.policies.Placement, targets: [a]": ({"policy": "affinity"}, ["p"], []),
    "type: tosca.policies.Placement, targets: [a, b], properties: {policy: anti-affinity, max_per_host: 2}": ({"policy": "anti-affinity", "max_per_host": 2}, ["p"], ["p"]),
}  # fmt: skip


@pytest.mark.parametrize("policy", GROUPS)
def test_a_placement_policy_is_a_group_of_servers(policy: str) -> None:
    group, of_a, of_b = GROUPS[policy]
    found = made(PLACED.replace("POLICY", policy))
    assert found["p"].type == "SE::ServerGroup"
    assert {k: found["p"].properties[k] for k in group} == group
    assert [[said(g) for g in found[n].properties.get("placement", {}).get("groups", [])] for n in ("a", "b")] == [of_a, of_b]


def test_a_policy_says_the_zone_and_the_server_itself_says_it_better() -> None:
    found = made(PLACED.replace("POLICY", "type: tosca.policies.Placement, targets: [a, b], properties: {region: [{get_input: zone}]}"))
    assert [found[n].properties["placement"] for n in ("a", "b")] == [{"zone": "east"}, {"zone": "own"}]
    assert "p" not in found


@pytest.mark.parametrize(("policy", "told"), [
    ("type: my.Placement, targets: [a, b], properties: {why: x}", "policy p: nothing is made of why"),
    ("type: tosca.policies.Placement, targets: [a], properties: {region: [x, y]}", "policy p: nothing is made of region, which names 2: a server is in one"),
    ("type: tosca.policies.Placement, targets: [net]", "policy p has no effect: none of its targets is a server, or on one"),
    ("type: tosca.policies.Scaling, targets: [a], properties: {default_instances: 2}", "policy p says how many there are at first: nothing scales them"),
    ("type: tosca.policies.Scaling, targets: [a]", "policy p has no effect: policies of its type are kept with the template only"),
    ("type: tosca.policies.Update, targets: [a]", "policy p has no effect: policies of its type are kept with the template only"),
])  # fmt: skip
def test_what_has_no_effect_is_told(policy: str, told: str) -> None:
    assert [d.summary for d in read(PLACED.replace("POLICY", policy))[1] if d.code == "S282"] == [told]


def test_a_scaling_policy_says_how_many_where_the_server_does_not() -> None:
    found = made(PLACED.replace("POLICY", "type: tosca.policies.Scaling, targets: [g], properties: {default_instances: 2, max_instances: 3}"))
    assert {n for n in found if found[n].type == "SE::Server"} == {"a/0", "a/1", "b"}


def test_a_policy_that_is_called_like_a_node_gets_another_name() -> None:
    found = made(PLACED.replace("POLICY", "type: tosca.policies.Placement, targets: [a]").replace("- p:", "- a:"))
    assert found["a"].type == "SE::Server"
    assert found["a_placement"].type == "SE::ServerGroup"


def test_what_is_there_already_is_used_and_not_made() -> None:
    text = V13 + """
topology_template:
  inputs: {disk: {type: string, default: ''}}
  node_templates:
    net: {type: tosca.nodes.network.Network, properties: {network_id: office}}
    old: {type: tosca.nodes.Storage.BlockStorage, properties: {size: 1 GB, volume_id: {get_input: disk}}}
"""
    found = made(text, disk="data")
    assert [found[n].external_id for n in ("net", "old")] == ["office", "data"]
    assert made(text)["old"].external_id is None
