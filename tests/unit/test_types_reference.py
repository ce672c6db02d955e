"""The reference pages of the resource types are what their schemas say."""

from __future__ import annotations

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
