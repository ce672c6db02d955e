"""The reference pages of the resource types are what their schemas say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.testing.types_reference import hosts_with, how_tested, pages, used_properties

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/reference/types"
KNOWN = registry.load(entry_points=False)


def test_every_type_has_a_page_that_is_true_and_no_page_is_left_over(request: pytest.FixtureRequest) -> None:
    made = dict(pages(KNOWN))
    if request.config.getoption("--update-golden"):
        FOLDER.mkdir(exist_ok=True)
    for name, text in made.items():
        check_file(FOLDER / name, text, update=request.config.getoption("--update-golden"))
    assert {p.name for p in FOLDER.iterdir()} == set(made)


def test_how_a_property_was_tested_is_not_guessed_upward() -> None:
    server = KNOWN.types["SE::Server"]
    used = used_properties(server, KNOWN)
    assert how_tested(server, "firmware", used) == "schema"
    assert how_tested(server, "root_disk", used) == "changed"
    floating = KNOWN.types["SE::FloatingIP"]
    assert how_tested(floating, "server", used_properties(floating, KNOWN)) == "memory"


def test_where_a_property_is_to_be_had_is_what_the_plans_refuse() -> None:
    server = KNOWN.types["SE::Server"]
    assert hosts_with(server) == "QEMU, Xen, LXC"
    assert hosts_with(server, "vm_mode") == "Xen"
    assert hosts_with(server, "volumes") == "QEMU, Xen"
    assert hosts_with(KNOWN.types["SE::SecurityGroup"]) == "QEMU"
    assert hosts_with(KNOWN.types["SE::RandomString"]) == "all"


SAID_OTHERWISE = {
    "SE::NetworkPiece.address": "--underlay", "SE::NetworkPiece.peers": "--underlay", "SE::Port.allowed_addresses": "allowed_address_pairs",
    "SE::Router.external": "external_gateway_info", "SE::Server.ssh_keys": '"ssh"', "SE::ServerGroup.policy": "policies", "SE::Subnet.family": "ip_version",
    "SE::Server.rescue": '"rescue", "lost"', **{f"SE::VolumeAttachment.{p}": p for p in ("read_only", "bus", "cache", "discard", "limits")},
}  # fmt: skip
"""What says a property in the tests on guests, where that is neither its name nor one that a dialect has for it."""


def test_what_counts_as_tested_on_guests_is_said_by_a_test_on_guests() -> None:
    texts = [f.read_text("utf-8") for f in (*(ROOT / "tests" / "real").glob("*.py"), *(ROOT / "templates").glob("*/*/*.yaml"))]
    lacking = []
    for info in KNOWN.types.values():
        dialects = [d for d in KNOWN.dialects.values() if d.native == info.name]
        for name in (n for n, schema in info.properties.items() if schema.get("tested") == "guest"):
            words = {name, *(k.rpartition(".")[2] for d in dialects for k, c in d.properties.items() if c.to.lstrip("$").partition(".")[0] == name)}
            said = re.compile("|".join(rf"\b{re.escape(w)}['\"]?: " for w in words) if f"{info.name}.{name}" not in SAID_OTHERWISE else
                              re.escape(SAID_OTHERWISE[f"{info.name}.{name}"]))  # fmt: skip
            if not any(said.search(text) for text in texts):
                lacking.append(f"{info.name}.{name}")
    assert not lacking, "their schemas say tested: guest"
