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
