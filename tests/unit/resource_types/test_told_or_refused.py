"""What stops packets elsewhere and nothing does here is refused; what a TOSCA node asks of its system counts or is told."""

from __future__ import annotations

import pytest

from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostic, Diagnostics

TYPES = registry.load(entry_points=False)
ENTRY = """\
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.4.0.0/16}}
  A: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref V}}
  E:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref A
      RuleNumber: 100
"""
COMPUTE = """\
tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  node_templates:
    a: {type: tosca.nodes.Compute, capabilities: {os: {properties: {%s}}}}
"""


def read(text: str) -> tuple[Desired, list[Diagnostic]]:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    return found.desired if found is not None else Desired(), list(diagnostics)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (["Protocol: -1", "RuleAction: allow", "CidrBlock: 0.0.0.0/0"], 0),
        (["Protocol: '-1'", "RuleAction: Allow", "Egress: true", "Ipv6CidrBlock: '::/0'"], 0),
        (["RuleAction: deny", "Protocol: -1", "CidrBlock: 0.0.0.0/0"], 9),
        (["Protocol: -1", "RuleAction: allow", "CidrBlock: 10.0.0.0/8"], 11),
        (["RuleAction: allow", "CidrBlock: 0.0.0.0/0", "Protocol: 6", "PortRange: {From: 80, To: 80}"], 11),
    ],
)
def test_only_entries_of_network_acls_that_allow_everything_pass(said: list[str], line: int) -> None:
    _, found = read(ENTRY + "".join(f"      {s}\n" for s in said))
    assert [(d.code, d.mark.line) for d in found if d.severity == "error"] == ([("V105", line)] if line else [])
    assert any("nothing enforces network ACLs here" in d.summary for d in found)


def test_options_of_dhcp_are_recorded_and_told() -> None:
    lines = ("O: {Type: AWS::EC2::DHCPOptions, Properties: {DomainName: x.internal, DomainNameServers: [AmazonProvidedDNS]}}",
             "S: {Type: AWS::EC2::VPCDHCPOptionsAssociation, Properties: {VpcId: v, DhcpOptionsId: !Ref O}}")  # fmt: skip
    desired, found = read("Resources:\n" + "".join(f"  {line}\n" for line in lines))
    assert {r.type for r in desired.resources.values()} == {"SE::None"}
    assert sorted(d.summary.partition(" has no effect")[0].rpartition(".")[2] for d in found) == ["DhcpOptionsId", "DomainName", "DomainNameServers", "VpcId"]


def test_which_address_a_router_has_outside_is_told_to_be_in_vain() -> None:
    gateway = "{network: public, external_fixed_ips: [{subnet: s}]}"
    head = "heat_template_version: 2018-08-31\nresources:\n"
    desired, found = read(f"{head}  r: {{type: 'OS::Neutron::Router', properties: {{external_gateway_info: {gateway}}}}}\n")
    assert [d.summary.partition(" has no effect")[0] for d in found if d.code == "V106"] == ["OS::Neutron::Router.external_gateway_info.external_fixed_ips"]
    assert desired.resources["r"].properties["external"] == "public"


@pytest.mark.parametrize(
    ("said", "arch", "told"),
    [
        ("architecture: x86_64, type: Linux, distribution: debian", None, []),
        ("architecture: arm64, image: mine.qcow2", "aarch64", []),
        ("architecture: sparc, image: mine.qcow2", None, ["V106"]),
        ("architecture: arm64, distribution: debian", "aarch64", ["S262"]),
        ("type: windows, distribution: debian", None, ["S262"]),
    ],
)
def test_the_system_that_a_tosca_node_asks_for_counts_or_is_told(said: str, arch: str | None, told: list[str]) -> None:
    desired, found = read(COMPUTE % said)
    assert desired.resources["a"].properties.get("arch") == arch
    assert [d.code for d in found] == told
    assert all(d.mark.line == 4 for d in found)
