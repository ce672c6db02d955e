"""Groups that scale on AWS and in Heat are groups of the size that they have at first."""

from __future__ import annotations

from typing import Any

import pytest

from stackengine import formats, registry
from stackengine.evaluate import Explored, explore
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.values import Unknown

TYPES = registry.load((), entry_points=False)
AWS = """\
Resources:
  LC: {Type: AWS::AutoScaling::LaunchConfiguration, Properties: {ImageId: tiny, InstanceType: t3.micro, SpotPrice: '1'}}
  LT: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateName: lt, LaunchTemplateData: {ImageId: tiny, InstanceType: t3.nano, KeyName: k}}}
  A:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      LaunchConfigurationName: !Ref LC
      MinSize: '2'
      MaxSize: '4'
      VPCZoneIdentifier: [subnet-1, subnet-2]
      Tags: [{Key: Name, Value: web, PropagateAtLaunch: true}]
  B:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: {LaunchTemplate: {LaunchTemplateId: !Ref LT, Version: !GetAtt LT.LatestVersionNumber}, MinSize: 0, MaxSize: 3, DesiredCapacity: 1}
  I: {Type: AWS::EC2::Instance, Properties: {LaunchTemplate: {LaunchTemplateName: lt, Version: '1'}, InstanceType: t3.small}}
  C: {Type: AWS::AutoScaling::AutoScalingGroup, Properties: {LaunchConfigurationName: elsewhere, MinSize: 1, MaxSize: 1}}
"""
HEAT = """\
heat_template_version: 2018-08-31
resources:
  lc: {type: AWS::AutoScaling::LaunchConfiguration, properties: {ImageId: tiny, InstanceType: m1.tiny}}
  g: {type: OS::Heat::InstanceGroup, properties: {LaunchConfigurationName: {get_resource: lc}, Size: 2, AvailabilityZones: [nova]}}
outputs: {ips: {value: {get_attr: [g, InstanceList]}}}
"""


def explored(text: str) -> tuple[Explored, Diagnostics, Diagnostics]:
    diagnostics, native = Diagnostics(), Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None, [str(d) for d in diagnostics]
    return explore(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=native), diagnostics, native


@pytest.mark.parametrize(
    ("path", "properties"),
    [
        ("A/1", {"ImageId": "tiny", "InstanceType": "t3.micro", "SubnetId": "subnet-1", "Tags": [{"Key": "Name", "Value": "web"}]}),
        ("B/0", {"ImageId": "tiny", "InstanceType": "t3.nano", "KeyName": "k"}),
        ("I", {"LaunchTemplate": {"LaunchTemplateName": "lt", "Version": "1"}, "InstanceType": "t3.small"}),
    ],
)
def test_instances_take_what_their_group_or_template_says(path: str, properties: dict[str, Any]) -> None:
    found, diagnostics, _ = explored(AWS)
    assert not diagnostics.errors
    assert found.written[path].properties == properties


def test_an_instance_gets_natively_what_its_launch_template_says() -> None:
    found, diagnostics, native = explored(AWS)
    made = found.evaluated.desired.resources["I"]
    assert made.properties["flavor"] == "t3.small"
    assert isinstance(made.properties["key_name"], Unknown) or made.properties["key_name"] == "k"
    assert [d.code for d in diagnostics if d.severity == "notice"] == ["V120", "V120"]
    assert [d.summary for d in native.items if d.code == "R110"] == ["the resource type AWS::AutoScaling::AutoScalingGroup is known but not supported"]


def test_a_group_of_heat_is_one_of_instances() -> None:
    found, diagnostics, native = explored(HEAT)
    assert not [d for d in (*diagnostics, *native) if d.severity == "error"]
    assert {p for p, r in found.evaluated.desired.resources.items() if r.type == "SE::Server"} == {"g/0", "g/1"}
    ips = found.outputs["ips"].value
    assert isinstance(ips, Unknown)
    assert ips.describe() == "known after apply (g/0.PrivateIp, g/1.PrivateIp)"


LAUNCHED = """\
Conditions: {Big: !Equals [a, b]}
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.95.0.0/16}}
  N: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V, CidrBlock: 10.95.1.0/24}}
  S: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: s}}
  P: {Type: AWS::EC2::PlacementGroup, Properties: {Strategy: spread}}
  LT:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: tiny
        InstanceType: t3.nano
        IamInstanceProfile: {Name: profile}
        NetworkInterfaces: [{DeviceIndex: 0, Groups: [!Ref S], InterfaceType: interface, AssociatePublicIpAddress: true}]
        BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: !If [Big, {VolumeSize: 9, Throughput: 125}, {VolumeSize: 2, Throughput: 125}]}]
        TagSpecifications:
          - {ResourceType: instance, Tags: [{Key: tier, Value: web}, {Key: Name, Value: lt}]}
          - {ResourceType: volume, Tags: [{Key: tier, Value: web}]}
        Placement: {GroupName: !Ref P, AvailabilityZone: local, PartitionNumber: 1}
        Monitoring: {Enabled: true}
        InstanceMarketOptions: {MarketType: spot}
        InstanceInitiatedShutdownBehavior: terminate
        CpuOptions: {CoreCount: 2, ThreadsPerCore: 1}
  G:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      LaunchTemplate: {LaunchTemplateId: !Ref LT, Version: '1'}
      MinSize: 1
      MaxSize: 1
      VPCZoneIdentifier: [!Ref N]
      Tags: [{Key: Name, Value: group, PropagateAtLaunch: true}]
  I: {Type: AWS::EC2::Instance, Properties: {LaunchTemplate: {LaunchTemplateId: !Ref LT, Version: '1'}, Tags: [{Key: Name, Value: own}]}}
"""


@pytest.mark.parametrize(("path", "name"), [("G/0", "group"), ("I", "own")])
def test_what_a_launch_template_says_of_an_instance_counts(path: str, name: str) -> None:
    found, diagnostics, native = explored(LAUNCHED)
    assert not [d.summary for d in (*diagnostics, *native) if d.severity == "error" and not d.summary.startswith("the resource type AWS::AutoScaling")]
    server, disk = found.evaluated.desired.resources[path].properties, found.evaluated.desired.resources[f"{path}:sdf"]
    assert server["metadata"] == {"tier": "web", "Name": name}
    assert server["vcpus"] == 2
    assert "P" in str(server["placement"])
    assert "S" in str(server["security_groups"])
    assert ("N" in str(server["networks"])) == (path == "G/0")  # the group's subnet, where the interface says none
    assert disk.properties["size"] == 2


def test_what_a_launch_template_says_in_vain_is_told_once_where_it_stands() -> None:
    _, diagnostics, native = explored(LAUNCHED)
    told = [d for d in (*diagnostics, *native) if d.code in ("V106", "V122")]
    prefix = "AWS::EC2::LaunchTemplate.LaunchTemplateData."
    lines = LAUNCHED.splitlines()
    found = [(d.summary.partition(" has no effect")[0].removeprefix(prefix), d) for d in told if d.code == "V122"]
    assert sorted({name for name, _ in found}) == [
        "BlockDeviceMappings.Throughput", "IamInstanceProfile", "InstanceMarketOptions", "Monitoring", "NetworkInterfaces.InterfaceType",
        "Placement.PartitionNumber", "TagSpecifications",
    ]  # fmt: skip
    assert len(found) == 8  # Throughput stands twice
    assert all(name.rpartition(".")[2] in lines[d.mark.line - 1] or "volume" in lines[d.mark.line - 1] for name, d in found)
    instance = {d.summary.partition(" has no effect")[0] for d in told if d.summary.startswith("AWS::EC2::Instance.")}
    assert {"AWS::EC2::Instance.InstanceInitiatedShutdownBehavior", "AWS::EC2::Instance.NetworkInterfaces.0.AssociatePublicIpAddress"} <= instance
