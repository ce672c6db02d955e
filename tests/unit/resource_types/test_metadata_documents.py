"""What a server's guest is told of itself: Nova's documents and EC2's categories."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from stackengine import registry
from stackengine.hosts.memory.host import PROFILE
from stackengine.hosts.private.guest_data import answer

TYPES = registry.load(entry_points=False)
HANDLER = TYPES.types["SE::Server"].handler
openstack: Any = importlib.import_module("stackengine_types.server.openstack")
ec2: Any = importlib.import_module("stackengine_types.server.ec2")
translation: Any = importlib.import_module("stackengine_types.server.translation")

NIC = {"mac": "52:54:00:00:00:01", "address": "10.0.0.5", "prefix": 24, "gateway": "10.0.0.1", "dhcp": True, "network": "net-1", "port": ""}
SIX = {"address": "fd00::5", "prefix": 64, "gateway": "fd00::1"}
IDENTITY = {"uuid": "11111111-1111-4111-8111-111111111111", "hostname": "web", "nics": [{**NIC, "more": [SIX]}]}


def guest(**changes: Any) -> Any:
    found = {"user_data": "#!/bin/sh", "keys": {"mine": "ssh-ed25519 AAAA"}, "pairs": {"role": "web"}, "flavor": "m1.small", "image": "tiny"}
    return openstack.Guest(IDENTITY, "shop", **{**found, **changes})


def test_novas_documents_name_the_instance_its_keys_and_its_links() -> None:
    found = openstack.documents(guest())
    meta = json.loads(found["openstack/latest/meta_data.json"])
    assert (meta["uuid"], meta["hostname"], meta["meta"], meta["public_keys"]) == (IDENTITY["uuid"], "web", {"role": "web"}, {"mine": "ssh-ed25519 AAAA"})
    assert found["openstack/latest/user_data"] == "#!/bin/sh"
    network = json.loads(found["openstack/latest/network_data.json"])
    assert network["links"][0]["ethernet_mac_address"] == NIC["mac"]
    assert [(n["type"], n.get("ip_address")) for n in network["networks"]] == [("ipv4_dhcp", None), ("ipv6", "fd00::5")]
    assert network["networks"][1]["routes"][0]["gateway"] == "fd00::1"
    assert "openstack/latest/user_data" not in openstack.documents(guest(user_data=""))


def test_an_address_without_dhcp_is_told_with_its_routes() -> None:
    fixed = {**NIC, "dhcp": False, "routes": [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}]}
    found = openstack.network_data({"nics": [fixed]})["networks"][0]
    assert (found["type"], found["ip_address"], found["netmask"]) == ("ipv4", "10.0.0.5", "255.255.255.0")
    assert [(r["network"], r["netmask"], r["gateway"]) for r in found["routes"]] == [
        ("0.0.0.0", "0.0.0.0", "10.0.0.1"),
        ("10.9.0.0", "255.255.0.0", "10.0.0.9"),
    ]
    assert openstack.network_data({"nics": [{**NIC, "dhcp": False, "address": "", "prefix": 0}]})["networks"] == []


def test_ec2s_categories() -> None:
    entry = ec2.entry(guest(groups=("web", "db")), {"metadata_service": {"tags": True, "tokens": "required"}})
    assert (entry["macs"], entry["tokens"]) == ({NIC["mac"]: ["10.0.0.5"]}, "required")

    def ask(path: str) -> str | None:
        return answer(entry["files"], f"/latest/{path}")

    assert ask("meta-data/instance-id") == IDENTITY["uuid"]
    assert ask("meta-data/local-ipv4") == "10.0.0.5"
    assert ask("meta-data/security-groups") == "web\ndb"
    assert ask("meta-data/public-keys") == "0=mine"
    assert ask("meta-data/public-keys/0/openssh-key") == "ssh-ed25519 AAAA"
    assert ask(f"meta-data/network/interfaces/macs/{NIC['mac']}/subnet-ipv4-cidr-block") == "10.0.0.0/24"
    assert ask(f"meta-data/network/interfaces/macs/{NIC['mac']}/ipv6s") == "fd00::5"
    assert ask("meta-data/tags/instance/role") == "web"
    assert json.loads(ask("dynamic/instance-identity/document") or "")["privateIp"] == "10.0.0.5"
    assert ask("user-data") == "#!/bin/sh"
    assert ec2.entry(guest(), {})["tokens"] == "optional"
    assert answer(ec2.entry(guest(), {})["files"], "/latest/meta-data/tags") is None
    document = answer(ec2.entry(guest(), {}, "aarch64")["files"], "/latest/dynamic/instance-identity/document")
    assert json.loads(document or "")["architecture"] == "arm64"


def test_it_is_on_where_the_host_has_it_and_said_where_it_was_asked_for_and_is_not() -> None:
    from dataclasses import replace

    without = replace(PROFILE, features=PROFILE.features - {"metadata-service"})
    assert ec2.wanted({}, PROFILE)
    assert not ec2.wanted({"metadata_service": {"enabled": False}}, PROFILE)
    assert not ec2.wanted({}, without)
    said = [r for r in HANDLER.refuse({"metadata_service": {"tokens": "required"}}, without) if r.prop == "metadata_service"]
    assert [r.severity for r in said] == ["notice"]
    assert not [r for r in HANDLER.refuse({}, without) if r.prop == "metadata_service"]


def test_ec2s_options_are_taken_up() -> None:
    found = translation.translate("AWS::EC2::Instance", {"$metadata_options": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}})
    assert found["metadata_service"] == {"enabled": True, "tokens": "required", "tags": False}
    with pytest.raises(ValueError, match="HttpToken"):
        translation.translate("AWS::EC2::Instance", {"$metadata_options": {"HttpToken": "required"}})
