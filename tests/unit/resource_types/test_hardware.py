"""Machines: what goes together, what only a start brings, and what may be merged into a definition."""

from __future__ import annotations

import importlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from stackengine import registry
from stackengine.hosts.memory.host import PROFILE
from stackengine.model.expr import Attr, Call, List, Literal, Param
from stackengine.model.mark import NOWHERE
from stackengine.model.values import Sensitive, Unknown
from stackengine.sdk import Profile
from stackengine.sdk.overlay import merge

TYPES = registry.load(entry_points=False)
_ = TYPES.types["SE::Server"].handler
hardware: Any = importlib.import_module("stackengine_types.server.hardware")
overlay: Any = importlib.import_module("stackengine_types.server.overlay")


@pytest.mark.parametrize(("want", "problem"), [
    ({"vcpus": 4, "cpu": {"cores": 3}}, "3 cores"),
    ({"vcpus": 1, "max_vcpus": 4, "cpu": {"cores": 4}}, ""),
    ({"cpu": {"model": "EPYC"}}, "mode custom"),
    ({"cpu": {"mode": "custom", "model": "EPYC"}}, ""),
    ({"vcpus": 2, "memory": 256, "numa": [{"vcpus": 1, "memory": 128}, {"vcpus": 1, "memory": 64}]}, "do not add up"),
    ({"vnc": {"password": "ninechars"}}, "8 characters"),
])  # fmt: skip
def test_what_does_not_go_together_is_told(want: dict[str, Any], problem: str) -> None:
    found = [r.reason for r in hardware.broken(want)]
    assert bool(found) == bool(problem)
    assert all(problem in reason for reason in found)


def test_a_plain_machine_has_no_digest_and_limits_and_passwords_are_no_part_of_it() -> None:
    assert hardware.digest({"firmware": "bios", "tpm": False, "root_disk": {"limits": {"total_iops": 5}}}) == ""
    assert hardware.digest({"vnc": {"password": "a"}}) == hardware.digest({"vnc": {"password": "b"}}) != ""


def test_what_a_host_does_not_have_is_refused() -> None:
    want = {"firmware": "uefi", "tpm": True, "vsock": True, "cpu": {"mode": "host-passthrough"}}
    assert [r.prop for r in hardware.refused(want, Profile("qemu", "qemu"))] == ["firmware", "tpm", "vsock", "cpu"]
    assert not list(hardware.refused(want, PROFILE))


@pytest.mark.parametrize("text", [
    "<domain><uuid>x</uuid></domain>", "<domain><devices><disk type='file'/></devices></domain>", "<domain><os><kernel>/boot/vmlinuz</kernel></os></domain>",
    "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:commandline/></domain>", "<domain><devices><hostdev/></devices></domain>", "<a/>", "<",
])  # fmt: skip
def test_an_overlay_never_names_identity_or_the_host(text: str) -> None:
    assert overlay.refusals({"libvirt_overlay": text})


def test_an_overlay_that_cannot_be_looked_at_now_is_refused() -> None:
    later = Unknown(Attr("image", (Literal("kernel"),), NOWHERE))
    for text in (later, Sensitive("<domain/>"), Unknown(Call("join", (Literal(""), List((Literal("<domain>"), later.expr)))))):
        assert overlay.refusals({"libvirt_overlay": text})
    assert not overlay.refusals({"libvirt_overlay": Unknown(Param("not given yet"))})


def test_an_overlay_completes_what_is_there_and_adds_what_is_not() -> None:
    root = ET.fromstring("<domain><cpu mode='maximum'/><devices><controller type='pci' index='0'/></devices></domain>")
    text = "<domain><cpu><cache mode='emulate'/></cpu><clock offset='utc'/><devices><controller type='pci' index='1'/><sound model='ich9'/></devices></domain>"
    assert not overlay.refusals({"libvirt_overlay": text})
    merge(root, text)
    assert [e.tag for e in root] == ["cpu", "devices", "clock"]
    assert root.find("cpu[@mode='maximum']/cache") is not None
    assert [e.get("index") for e in root.findall("devices/controller")] == ["0", "1"]
