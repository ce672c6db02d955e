"""EC2's words for interfaces and disks: what is said counts, is told to have no effect, or is refused where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine import formats, registry, service
from stackengine.evaluate import evaluate
from stackengine.evaluate.convert import converted
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.expr import Ref
from stackengine.model.values import Unknown
from stackengine.service import stacks
from stackengine.service.types import Request, Settings

TYPES = registry.load(entry_points=False)
HEAD = """\
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.94.0.0/16}}
  N: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V, CidrBlock: 10.94.1.0/24}}
  A: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: a, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}]}}
  B: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: b, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}]}}
  I:
    Type: AWS::EC2::Instance
    %s
    Properties:
      ImageId: tiny
      InstanceType: t3.nano
"""
TWO = """\
      NetworkInterfaces:
        - {DeviceIndex: '1', SubnetId: !Ref N, GroupSet: [!Ref %s], PrivateIpAddress: 10.94.1.12}
        - {DeviceIndex: '0', SubnetId: !Ref N, GroupSet: [!Ref %s], PrivateIpAddress: 10.94.1.11}
"""


def read(*lines: str, policies: str = "") -> tuple[Desired | None, list[Diagnostic]]:
    diagnostics = Diagnostics()
    text = HEAD % policies + "".join(line if line.endswith("\n") else f"      {line}\n" for line in lines)
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None, [d.summary for d in diagnostics]
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    return found.desired if found is not None else None, list(diagnostics)


def wanted(*lines: str, policies: str = "") -> Desired:
    desired, said = read(*lines, policies=policies)
    assert desired is not None
    assert not [d.summary for d in said if d.severity == "error"]
    return desired


def at(found: Diagnostic, *lines: str) -> str:
    """The text of the template from where a fault is told, to the end of that line."""
    return (HEAD % "" + "".join(f"      {line}\n" for line in lines)).splitlines()[found.mark.line - 1][found.mark.col - 1 :]


def entries(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


def without_marks(value: object) -> object:
    return [v.expr.target if isinstance(v, Unknown) and isinstance(v.expr, Ref) else v for v in value] if isinstance(value, list) else value


def test_each_interface_has_its_own_groups() -> None:
    server = wanted(TWO % ("B", "A")).resources["I"].properties
    assert [(n["address"], without_marks(n["security_groups"])) for n in entries(server["networks"])] == [("10.94.1.11", ["A"]), ("10.94.1.12", ["B"])]
    assert "security_groups" not in server


def test_groups_of_an_only_interface_are_the_servers() -> None:
    server = wanted("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, GroupSet: [!Ref A]}]").resources["I"].properties
    assert without_marks(server["security_groups"]) == ["A"]
    assert [sorted(n) for n in entries(server["networks"])] == [["subnet"]]


def test_an_interface_without_groups_has_those_of_its_server() -> None:
    lines = ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N}, {DeviceIndex: 1, SubnetId: !Ref N, GroupSet: [!Ref B]}]", "SecurityGroupIds: [!Ref A]")
    server = wanted(*lines).resources["I"].properties
    assert without_marks(server["security_groups"]) == ["A"]
    assert [without_marks(n.get("security_groups")) for n in entries(server["networks"])] == [None, ["B"]]


def test_where_one_interface_is_in_no_group_that_is_said() -> None:
    _, said = read("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N}, {DeviceIndex: 1, SubnetId: !Ref N, GroupSet: [!Ref B]}]")
    assert len([d for d in said if "names no group" in d.summary]) == 1
    _, said = read(TWO % ("B", "A"))
    assert not [d for d in said if "names no group" in d.summary]


def test_groups_beside_a_port_are_refused() -> None:
    line = "NetworkInterfaces: [{DeviceIndex: 0, NetworkInterfaceId: eni-1, GroupSet: [!Ref A]}]"
    _, said = read(line)
    found = [d for d in said if d.code == "V105"]
    assert ["has its groups: say GroupSet at the AWS::EC2::NetworkInterface" in d.summary for d in found] == [True]
    assert at(found[0], line).startswith("[!Ref A]")


def test_the_filter_of_each_interface_names_its_own_groups_and_changes_live(tmp_path: Path) -> None:
    template, settings = tmp_path / "t.yaml", Settings(state=str(tmp_path / "state"), host="memory://")

    def up(first: str, second: str) -> tuple[dict[str, str], list[set[str]]]:
        template.write_text(HEAD % "" + TWO % (second, first))
        with service.open(settings) as session:
            preview = stacks.preview(session, Request("s", template))
            result = stacks.carry_out(session, preview)
            assert result.status == "complete", result.failures
            filters = {f.name: f.xml for f in session.host("memory://").filter_list() if f.name.startswith("se-nic-")}
            return {a.path: a.verb for a in preview.plan.actions.values()}, [{g for g in "AB" if f"se-s-{g}-" in xml} for xml in filters.values()]

    _, groups = up("A", "B")
    assert sorted(map(sorted, groups)) == [["A"], ["B"]]
    verbs, groups = up("A", "A")
    assert sorted(map(sorted, groups)) == [["A"], ["A"]]
    assert verbs["I"] == "update"
    verbs, groups = up("B", "A")
    assert sorted(map(sorted, groups)) == [["A"], ["B"]]
    assert verbs["I"] == "update"


def test_an_encrypted_root_disk_is_refused_where_it_is_said() -> None:
    for written in ("true", "'true'"):
        line = f"BlockDeviceMappings: [{{DeviceName: /dev/xvda, Ebs: {{VolumeSize: 8, Encrypted: {written}}}}}]"
        _, said = read(line)
        found = [d for d in said if d.code == "V105"]
        assert len(found) == 1
        assert "is not encrypted here" in found[0].summary
        assert at(found[0], line).startswith(written)
    assert wanted("BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeSize: '8', Encrypted: 'false'}}]").resources["I"].properties["disk"] == 8


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 8, Iops: 3000}}]", ["BlockDeviceMappings.0.Ebs.Iops"]),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeType: gp3, KmsKeyId: k}}]",
         ["BlockDeviceMappings.0.Ebs.KmsKeyId", "BlockDeviceMappings.0.Ebs.VolumeType"]),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 8, DeleteOnTermination: false}}]", ["BlockDeviceMappings.0.Ebs.DeleteOnTermination"]),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 8, DeleteOnTermination: true}}]", []),
        ("BlockDeviceMappings: [{DeviceName: /dev/sdb, VirtualName: ephemeral0}]", ["BlockDeviceMappings.0.VirtualName"]),
        ("BlockDeviceMappings: [{DeviceName: /dev/sdb, NoDevice: {}}]", ["BlockDeviceMappings.0.NoDevice"]),
        ("BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: {VolumeSize: 1, VolumeType: io1, Iops: 100}}]",
         ["BlockDeviceMappings.0.Ebs.Iops", "BlockDeviceMappings.0.Ebs.VolumeType"]),
        ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, AssociatePublicIpAddress: true}]", ["NetworkInterfaces.0.AssociatePublicIpAddress"]),
        ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, AssociatePublicIpAddress: 'false', DeleteOnTermination: true}]", []),
        ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, Description: d, DeleteOnTermination: false}]",
         ["NetworkInterfaces.0.DeleteOnTermination", "NetworkInterfaces.0.Description"]),
        ("MetadataOptions: {HttpPutResponseHopLimit: 2, HttpProtocolIpv6: enabled}",
         ["MetadataOptions.HttpProtocolIpv6", "MetadataOptions.HttpPutResponseHopLimit"]),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_told_where_it_stands(line: str, told: list[str]) -> None:
    _, said = read(line)
    found = [d for d in said if d.code == "V106" and d.summary.startswith("AWS::EC2::Instance.")]
    assert sorted(d.summary.partition(" has no effect")[0].removeprefix("AWS::EC2::Instance.") for d in found) == told
    assert all(d.mark.line == HEAD.count("\n") + 1 for d in found)
    assert not [d for d in said if d.severity == "error"]


def test_disks_beside_the_root_are_volumes_that_go_with_the_server() -> None:
    lines = (
        "BlockDeviceMappings:\n", "        - {DeviceName: /dev/sdf, Ebs: {VolumeSize: '3', Encrypted: 'true'}}\n",
        "        - {DeviceName: /dev/xvdg, Ebs: {SnapshotId: snap-1, DeleteOnTermination: 'false'}}\n",
    )  # fmt: skip
    found = wanted("      " + lines[0], *lines[1:]).resources
    first, second = found["I:sdf"], found["I:xvdg"]
    assert (first.type, first.properties["size"], first.properties["encrypted"], first.policies.deletion) == ("SE::Volume", 3, True, "Delete")
    assert (second.properties["source"], second.policies.deletion, second.policies.update_replace) == ("snap-1", "Retain", "Retain")
    assert [without_marks([v["volume"]]) for v in entries(found["I"].properties["volumes"])] == [["I:sdf"], ["I:xvdg"]]
    assert {"I:sdf", "I:xvdg"} <= {d.path for d in found["I"].depends}
    assert first.mark_of().line == HEAD.count("\n") + 2


def test_what_becomes_of_the_server_becomes_of_its_disks() -> None:
    found = wanted("BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: {VolumeSize: 3}}]", policies="DeletionPolicy: Retain")
    assert found.resources["I:sdf"].policies.deletion == "Retain"


@pytest.mark.parametrize(
    ("line", "what", "where"),
    [
        ("BlockDeviceMappings: [{DeviceName: /dev/sdf}]", "needs a VolumeSize or a SnapshotId", "{DeviceName"),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {SnapshotId: s}}]", "cannot be made of a snapshot", "s}"),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {Size: 8}}]", "has no property BlockDeviceMappings.0.Ebs.Size", "Size"),
        ("BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 8}}, {DeviceName: /dev/xvda, Ebs: {VolumeSize: 9}}]", "one root disk", "[{"),
        ("BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: {VolumeSize: 0}}]", "I:sdf.size: 0 is not valid", "{DeviceName"),
        ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, SecondaryPrivateIpAddressCount: 2}]", "is not supported", "2}"),
        ("NetworkInterfaces: [{DeviceIndex: 0, SubnetId: !Ref N, PrivateIpAddress: [a]}]",
         "NetworkInterfaces.0.PrivateIpAddress: ['a'] has the wrong type", "[a]"),
        ("MetadataOptions: {HttpTokens: maybe}", "MetadataOptions", "{HttpTokens"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_ec2s_words_where_it_stands(line: str, what: str, where: str) -> None:
    _, said = read(line)
    found = [d for d in said if d.severity == "error"]
    assert len(found) == 1, [d.summary for d in found]
    assert what in found[0].summary
    assert at(found[0], line).startswith(where)


def test_converted_disks_beside_the_root_are_resources() -> None:
    diagnostics = Diagnostics()
    text = HEAD % "" + "      BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: {VolumeSize: 3, DeleteOnTermination: false}}]\n"
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    found = converted(template, "hot", TYPES, diagnostics).resources
    assert not diagnostics.errors
    assert (found["ISdf"].type, found["ISdf"].policies.deletion) == ("SE::Volume", "Retain")
    assert "ISdf" in str(found["I"].properties.get("volumes"))
