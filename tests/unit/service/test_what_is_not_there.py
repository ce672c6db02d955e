"""What a template refers to and the stack has not: said once, at its place, with what to do; and what no host of this size can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine.hosts import open_host
from stackengine.model.diagnostics import Diagnostic, InvalidTemplateError
from stackengine.sdk import HostError
from unit.service.house import House

PORT = "p: {type: 'OS::Neutron::Port', properties: {network: private}}\n"
SERVER = "web: {type: 'OS::Nova::Server', properties: {image: tiny, flavor: tiny, networks: [{port: {get_resource: p}}]}}\n"
VOLUME = "v: {type: 'SE::Volume', properties: {size: 1}}\n"
VOLUME += "a: {type: 'SE::VolumeAttachment', properties: {volume: {get_resource: v}, server: {get_resource: web}}}\n"


def refused(house: House, resources: str) -> list[Diagnostic]:
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(resources)
    return list(caught.value.diagnostics.errors)


def test_a_network_that_is_there_already_is_told_how_to_be_named_and_nothing_follows_from_it(house: House) -> None:
    (error,) = refused(house, PORT + SERVER + VOLUME)
    assert error.code == "L103"
    assert error.summary == "p: the network private is not part of this stack: a port needs a network or a subnet of it"
    assert "external_id" in error.hint
    assert (error.mark.line, error.mark.col) == (3, 56)


def test_what_is_wrong_besides_is_said_in_the_same_run(house: House) -> None:
    other = "other: {type: 'SE::Server', properties: {image: tiny, networks: [{network: public}]}}\n"
    assert [e.summary.partition(":")[0] for e in refused(house, PORT + SERVER + other)] == ["p", "other"]


def test_a_subnet_of_a_network_that_is_not_there(house: House) -> None:
    subnet = "s: {type: 'SE::Subnet', properties: {network: private, cidr: 10.1.0.0/24}}\n"
    errors = refused(house, subnet + "q: {type: 'SE::Port', properties: {subnet: {get_resource: s}}}\n")
    assert [(e.code, "network private is not part" in e.summary, "external_id" in e.hint) for e in errors] == [("L103", True, True)]


def test_a_server_larger_than_its_host_is_refused(house: House) -> None:
    (error,) = refused(house, "web: {type: 'SE::Server', properties: {image: tiny, memory: 99999999}}\n")
    assert (error.code, error.mark.line) == ("K105", 3)
    assert error.summary == "web needs 99999999 MiB of memory, and all of memory:// is 65536 MiB"
    assert house.plan("web: {type: 'SE::Server', properties: {image: tiny, memory: 65536}}\n").plan.actions


def test_what_is_known_later_is_told_as_it_was_written(house: House) -> None:
    named = "v: {type: 'OS::Cinder::Volume', properties: {size: 1, name: {Arn: {get_attr: [w, id]}}}}\n"
    errors = refused(house, named + "w: {type: 'OS::Cinder::Volume', properties: {size: 1}}\n")
    assert all("Unknown(" not in e.summary for e in errors)
    assert "w.id" in errors[0].summary


def test_a_type_that_can_only_be_recorded_says_how(house: House) -> None:
    tosca = "tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template:\n  node_templates:\n"
    tosca += "    o: {type: tosca.nodes.Storage.ObjectStorage, properties: {name: o}}\n"
    assert [(e.code, "--accept-inert" in e.hint) for e in refused(house, tosca)] == [("S263", True)]


@pytest.mark.parametrize("scheme", ["xenserver", "xenapi", "uml"])
def test_hypervisors_without_a_driver_are_told_what_took_their_place(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="libvirt has no driver") as caught:
        open_host(f"{scheme}://x", tmp_path)
    assert caught.value.hint
