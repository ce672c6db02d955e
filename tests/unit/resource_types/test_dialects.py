"""Foreign names: no property of a mapped type is dropped in silence, and what is ignored or refused says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackengine import formats, registry
from stackengine.evaluate import evaluate
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.registry import Dialect

TYPES = registry.load(entry_points=False)
HEAT: dict[str, list[str]] = json.loads((Path(__file__).parent / "heat_properties.json").read_text())
"""Every property of Heat's own schemas of the types that are mapped (Heat 27)."""
WANTED = [
    *("OS::Nova::Server", "OS::Nova::KeyPair", "OS::Cinder::Volume", "OS::Cinder::VolumeAttachment", "OS::Neutron::Net", "OS::Neutron::Subnet"),
    *("OS::Neutron::Port", "OS::Glance::WebImage", "OS::Heat::None", "OS::Heat::RandomString", "OS::Heat::WaitCondition", "OS::Heat::CloudConfig"),
    *("OS::Heat::WaitConditionHandle", "AWS::EC2::Instance", "AWS::EC2::Volume", "AWS::EC2::VolumeAttachment", "AWS::EC2::VPC", "AWS::EC2::Subnet"),
    *("AWS::EC2::NetworkInterface", "AWS::EC2::KeyPair", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle"),
    *("tosca.nodes.Compute", "tosca.nodes.Storage.BlockStorage", "tosca.nodes.BlockStorage", "tosca.nodes.network.Network", "tosca.nodes.network.Port"),
]
HOT = "heat_template_version: 2018-08-31\n"
NOVA = HOT + "resources:\n  web: {type: 'OS::Nova::Server', properties: {"


def desired(text: str, errors: list[str] | None = None, notices: list[str] | None = None) -> Desired | None:
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    found = evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics) if template else None
    if errors is not None:
        errors += [d.summary for d in diagnostics.errors]
    else:
        assert not diagnostics.errors, [d.summary for d in diagnostics.errors]
    if notices is not None:
        notices += [d.summary for d in diagnostics if d.severity == "notice"]
    return found.desired if found else None


def server(properties: str, kind: str = "OS::Nova::Server") -> dict[str, object]:
    text = f"{HOT}resources:\n  web:\n    type: {kind}\n    properties: {properties}\n  net: {{type: 'SE::Network', properties: {{cidr: auto}}}}\n"
    found = desired(text)
    assert found is not None
    return found.resources["web"].properties


@pytest.mark.parametrize("name", WANTED)
def test_a_foreign_name_is_known(name: str) -> None:
    assert TYPES.dialect(name) is not None


@pytest.mark.parametrize("name", sorted(HEAT))
def test_every_property_that_heat_knows_is_taken_ignored_or_refused(name: str) -> None:
    dialect = TYPES.dialect(name)
    assert dialect is not None
    native = TYPES.types[dialect.native].properties
    assert not [p for p in HEAT[name] if p not in dialect.properties and p not in native]


@pytest.mark.parametrize("dialect", TYPES.dialects.values(), ids=lambda d: d.name)
def test_what_is_ignored_or_refused_says_why(dialect: Dialect) -> None:
    for name, conversion in dialect.properties.items():
        reasons = [r for r in (conversion.ignore, conversion.refuse, conversion.used) if r]
        assert bool(conversion.to) != bool(reasons), name
        assert all(len(r) >= 8 for r in reasons), name


@pytest.mark.parametrize("dialect", TYPES.dialects.values(), ids=lambda d: d.name)
def test_a_foreign_attribute_is_a_native_one(dialect: Dialect) -> None:
    known = {*TYPES.types[dialect.native].attributes, "physical_id"}
    assert {a.split(".")[0] for a in dialect.attributes.values() if not a.startswith("$")} <= known
    assert {a[1:] for a in dialect.attributes.values() if a.startswith("$")} <= dialect.properties.keys()
    assert not dialect.ref or dialect.ref in known


def test_an_ignored_property_is_a_notice_and_a_refused_one_an_error() -> None:
    notices: list[str] = []
    errors: list[str] = []
    desired(NOVA + "image: tiny, flavor: tiny, reservation_id: a, diskConfig: AUTO}}\n", None, notices)
    assert {n.split(" has")[0] for n in notices} == {"OS::Nova::Server.reservation_id", "OS::Nova::Server.diskConfig"}
    desired(f"{HOT}resources:\n  web: {{type: 'OS::Nova::Server', properties: {{image: tiny, flavor: tiny, admin_pass: x}}}}\n", errors)
    assert errors == ["OS::Nova::Server.admin_pass is not supported: put a password into user_data, or use keys"]


def test_where_the_clouds_default_group_would_count_that_is_said_once() -> None:
    plain, group = "image: tiny, flavor: tiny}}\n", "  g: {type: 'OS::Neutron::SecurityGroup'}\n"
    for text, count in ((plain, 0), (plain + group, 1), (plain + group + NOVA.splitlines()[-1].replace("web:", "b:") + plain, 1)):
        notices: list[str] = []
        desired(NOVA + text, None, notices)
        assert len([n for n in notices if "names no group" in n]) == count, text
    told: list[str] = []
    desired(NOVA + "image: tiny, flavor: tiny, security_groups: [default]}}\n", None, told)
    assert ["'default' lets in everybody" in n for n in told] == [True]


def test_nova_says_networks_in_four_ways() -> None:
    found = server("{image: tiny, flavor: tiny, networks: [{uuid: {get_resource: net}}, {network: {get_resource: net}, fixed_ip: 10.0.0.9}]}")
    networks = found["networks"]
    assert isinstance(networks, list)
    assert [sorted(n) for n in networks] == [["network"], ["address", "network"]]
    assert server("{image: tiny, flavor: tiny, networks: [{allocate_network: none}]}")["networks"] == []


def test_nova_boots_from_a_volume_or_an_image_on_a_disk_of_its_own() -> None:
    found = server("{flavor: tiny, block_device_mapping_v2: [{boot_index: 0, image: tiny, volume_size: 5}]}")
    assert found["disk"] == 5
    errors: list[str] = []
    desired(NOVA + "image: tiny, flavor: tiny, block_device_mapping_v2: [{swap_size: 1}]}}\n", errors)
    assert "a block device is a volume" in errors[0]


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("{boot_index: 1, volume_id: v, delete_on_termination: true}", ["delete_on_termination"]),
        ("{boot_index: 1, volume_id: v, delete_on_termination: false}", []),
        ("{device_name: vdb, volume_id: v, device_type: cdrom, volume_size: 3}", ["device_name", "device_type", "volume_size"]),
        ("{boot_index: 0, image: tiny, delete_on_termination: false, disk_bus: scsi}", ["delete_on_termination", "disk_bus"]),
        ("{boot_index: 0, image: tiny, delete_on_termination: true, device_type: disk, device_name: vda}", []),
    ],
)
def test_what_of_novas_block_devices_has_no_effect_is_told(device: str, told: list[str]) -> None:
    notices: list[str] = []
    image = "" if "image" in device else "image: tiny, "
    desired(f"{NOVA}{image}flavor: tiny, block_device_mapping_v2: [{device}]}}}}\n", [], notices)
    prefix = "OS::Nova::Server.block_device_mapping_v2.0."
    assert sorted(n.partition(" has no effect")[0].removeprefix(prefix) for n in notices if n.startswith(prefix)) == told


@pytest.mark.parametrize(
    ("cidr", "version", "fine"), [("10.4.0.0/24", 6, False), ("fd00:4::/64", 4, False), ("10.4.0.0/24", 4, True), ("fd00:4::/64", 6, True)],
)  # fmt: skip
def test_a_range_of_another_ip_version_is_refused_where_it_is_said(cidr: str, version: int, fine: bool) -> None:
    text = f"{HOT}resources:\n  n: {{type: 'OS::Neutron::Net'}}\n  s:\n    type: OS::Neutron::Subnet\n    properties:\n      network: {{get_resource: n}}\n"
    diagnostics = Diagnostics()
    template = formats.load(f"{text}      cidr: '{cidr}'\n      ip_version: {version}\n", "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    evaluate(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics)
    wrong = [(d.code, d.summary, d.mark.line) for d in diagnostics.errors]
    assert wrong == ([] if fine else [("V105", f"OS::Neutron::Subnet: the range {cidr} is no IPv{version} range", 9)])


def test_ec2_says_disk_size_interfaces_and_tags() -> None:
    found = server(
        "{ImageId: tiny, InstanceType: tiny, BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: '8', VolumeType: gp2}}],"
        " Tags: [{Key: Name, Value: web}], UserData: aGVsbG8=}", "AWS::EC2::Instance",
    )  # fmt: skip
    assert (found["disk"], found["metadata"], found["user_data"]) == (8, {"Name": "web"}, "hello")
    errors: list[str] = []
    properties = "{ImageId: tiny, InstanceType: tiny, BlockDeviceMappings: [{DeviceName: /dev/sdh}]}"
    desired(f"{HOT}resources:\n  web: {{type: 'AWS::EC2::Instance', properties: {properties}}}\n", errors)
    assert "the block device /dev/sdh needs a VolumeSize or a SnapshotId" in errors[0]


def test_text_that_is_no_base64_is_user_data_as_it_is() -> None:
    assert server("{ImageId: tiny, InstanceType: tiny, UserData: '#!/bin/sh -e'}", "AWS::EC2::Instance")["user_data"] == "#!/bin/sh -e"


def test_a_server_without_networks_gets_one_of_the_stacks_own() -> None:
    found = desired(f"{HOT}resources:\n  web: {{type: 'OS::Nova::Server', properties: {{image: tiny, flavor: tiny}}}}\n")
    assert found is not None
    assert found.resources["network:default"].type == "SE::Network"
    assert [d.path for d in found.resources["web"].depends if d.path == "network:default"] == ["network:default"]


def test_two_addresses_on_one_port_stay_in_their_order() -> None:
    errors: list[str] = []
    net = "  net: {type: 'SE::Network', properties: {cidr: auto}}\n"
    port = "  p: {type: 'OS::Neutron::Port', properties: {network: {get_resource: net}, fixed_ips: [{ip_address: 10.0.0.1}, {ip_address: 10.0.0.2}]}}\n"
    found = desired(f"{HOT}resources:\n{net}{port}", errors)
    assert found is not None, errors
    assert found.resources["p"].properties["address"] == "10.0.0.1"
    assert found.resources["p"].properties["also"] == [{"address": "10.0.0.2"}]


def test_an_outer_key_pair_is_told_apart_from_one_of_the_template() -> None:
    notices: list[str] = []
    desired(f"{HOT}resources:\n  web: {{type: 'OS::Nova::Server', properties: {{image: tiny, flavor: tiny, key_name: mine}}}}\n", None, notices)
    assert notices == ["web.key_name: no key pair mine in this template: the stack's own keys are used"]


def test_heats_deprecated_sequence_is_a_class() -> None:
    found = desired(f"{HOT}resources:\n  r: {{type: 'OS::Heat::RandomString', properties: {{sequence: digits, length: '6'}}}}\n")
    assert found is not None
    assert found.resources["r"].properties["classes"] == [{"class": "digits", "min": 1}]
    assert found.resources["r"].properties["length"] == 6


@pytest.mark.parametrize(("properties", "problem"), [
    ("{}", "a server needs an image"),
    ("{image: tiny, flavor: tiny, volumes: [{volume: v, boot: true}]}", "boots from its image or from a volume"),
    ("{image: tiny, flavor: tiny, seed: ignition, user_data: '{\"ignition\": {\"version\": \"3.4.0\"}}', ready: {gate: signal}}", "brings no cfn-signal"),
    ("{image: tiny, flavor: tiny, memory: 512, max_memory: 256}", "less than the 512 MiB"),
    ("{image: tiny, vcpus: 4, max_vcpus: 2}", "2 vCPUs at most are less than the 4"),
    ("{image: tiny, flavor: m1.xlarge, max_vcpus: 2}", "2 vCPUs at most are less than the 8"),
    ("{image: tiny, flavor: m1.xlarge, max_memory: 1024}", "less than the 16384 MiB"),
])  # fmt: skip
def test_rules_between_properties_are_said_before_anything_runs(properties: str, problem: str) -> None:
    errors: list[str] = []
    desired(f"{HOT}resources:\n  web: {{type: 'SE::Server', properties: {properties}}}\n", errors)
    assert len(errors) == 1
    assert problem in errors[0]


@pytest.mark.parametrize(("properties", "said"), [
    ("{address: 1.2.3}", ["'1.2.3' does not appear to be an IPv4 or IPv6 address"]),
    ("{network: public}", ["no network public in this template: the address is one of 100.96.0.0/16, which only this machine reaches"]),
    ("{network: public, address: 192.0.2.4}", ["no network public in this template: the address is 192.0.2.4, as it says"]),
    ("{address: 192.0.2.4}", []),
])  # fmt: skip
def test_a_floating_address_says_where_it_is_from(properties: str, said: list[str]) -> None:
    errors: list[str] = []
    notices: list[str] = []
    desired(f"{HOT}resources:\n  f: {{type: 'SE::FloatingIP', properties: {properties}}}\n", errors, notices)
    assert [text.partition(": ")[2] for text in (*errors, *notices)] == said


def test_an_external_network_of_neutron_is_told() -> None:
    notices: list[str] = []
    desired(f"{HOT}resources:\n  f: {{type: 'OS::Neutron::FloatingIP', properties: {{floating_network: public}}}}\n", None, notices)
    assert ["no network public" in n for n in notices] == [True]
