"""What a plan would refuse, and a template says for sure, is told when it is validated: ranges, flavors, functions with a typing error."""

from __future__ import annotations

import pytest

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)
HOT = "heat_template_version: wallaby\nresources:\n  n: {type: 'OS::Neutron::Net'}\n"
SUBNET = HOT + "  s: {type: 'OS::Neutron::Subnet', properties: {network: {get_resource: n}, "
CFN = "Resources:\n  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}\n  S: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref V, CidrBlock: "


def told(text: str) -> tuple[list[str], Desired]:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    found = explore(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=diagnostics)
    return [f"{d.severity} {d.code} {d.mark.line}:{d.mark.col} {d.hint}" for d in diagnostics if d.severity != "notice"], found.evaluated.desired


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SUBNET + "cidr: 10.0.0.0/24, gateway_ip: 10.0.0.254}}\n", []),
        (SUBNET + "cidr: 10.0.0.0/99}}\n", ["error V103 4:83 "]),
        (SUBNET + "cidr: 10.0.0.0/24, gateway_ip: 10.1.0.1}}\n", ["error V107 4:108 "]),
        (SUBNET + "cidr: 10.0.0.0/24, allocation_pools: [{start: 10.0.1.5, end: 10.0.1.9}]}}\n", ["error V107 4:114 "]),
        (HOT + "  s: {type: 'OS::Nova::Server', properties: {image: tiny, flavor: m1.tinny}}\n",
         ["warning V107 4:67 did you mean m1.tiny? vcpus and memory give any size"]),
        (HOT + "  m: {type: 'OS::Neutron::Net', properties: {name: {get_atr: [n, name]}}}\n",
         ["error V103 4:52 did you mean 'get_attr'?", "warning H128 4:53 did you mean get_attr?"]),
        (HOT + "outputs: {o: {value: {str_replce: {}}}}\n", ["warning H128 4:23 did you mean str_replace?"]),
        (HOT + "outputs: {o: {value: {filters: {}, get: 1}, description: x}}\n", []),
    ],
)  # fmt: skip
def test_told(text: str, said: list[str]) -> None:
    assert told(text)[0] == said


def test_aws_takes_host_bits_off() -> None:
    found, desired = told(CFN + "10.0.3.7/24}}\n")
    assert (found, desired.resources["S"].properties["cidr"]) == ([], "10.0.3.0/24")
