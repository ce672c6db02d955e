"""The tiny guest reads OpenStack's config drive as it reads NoCloud's seed."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from stackengine import registry
from unit.guest.conftest import BUSYBOX, Guest

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.skipif(not BUSYBOX, reason="busybox is not installed")
TYPES = registry.load(entry_points=False)
_ = TYPES.types["SE::Server"].handler
openstack: Any = importlib.import_module("stackengine_types.server.openstack")

LEASED = {"mac": "52:54:00:00:00:01", "address": "10.0.0.5", "prefix": 24, "gateway": "10.0.0.1", "dhcp": True, "network": "n"}
FIXED = {
    **LEASED, "mac": "52:54:00:00:00:02", "address": "10.1.0.5", "prefix": 20, "gateway": "10.1.0.1", "dhcp": False,
    "routes": [{"destination": "10.9.0.0/16", "nexthop": "10.1.0.9"}], "more": [{"address": "fd00::5", "prefix": 64, "gateway": "fd00::1"}],
}  # fmt: skip


def read(guest: Guest, nics: list[Mapping[str, Any]]) -> list[str]:
    """The guest's state after it has read a drive; returns its lines about the network."""
    identity = {"uuid": "11111111-1111-4111-8111-111111111111", "hostname": "web", "nics": nics}
    told = openstack.Guest(identity, "shop", "#!/bin/sh\necho hello\n", {"mine": "ssh-ed25519 AAAA me"})
    for name, text in openstack.documents(told).items():
        file = guest.seed / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (guest.root / ".ssh").mkdir(exist_ok=True)
    guest.run('device=/dev/vdz; use_config_drive "$SEED/openstack/latest"; read_seed </dev/null 2>/dev/null; split_user_data')
    return (guest.state / "network").read_text().splitlines()


def test_names_keys_and_user_data(guest: Guest) -> None:
    read(guest, [LEASED])
    assert (guest.state / "hostname").read_text() == "web\n"
    assert (guest.state / "instance-id").read_text() == "11111111-1111-4111-8111-111111111111\n"
    assert "ssh-ed25519 AAAA me" in (guest.state / "keys").read_text()
    assert guest.part("001.script").endswith("echo hello\n")
    assert json.loads((guest.state / "drive" / "meta-data").read_text())["hostname"] == "web"
    assert guest.problems == ""


def test_links_with_dhcp_with_addresses_and_with_both_families(guest: Guest) -> None:
    assert read(guest, [LEASED, FIXED]) == [
        "nic 52:54:00:00:00:01 -",
        "dhcp",
        "dns 10.1.0.1",
        "dns fd00::1",
        "end",
        "nic 52:54:00:00:00:02 -",
        "address 10.1.0.5/20",
        "route default 10.1.0.1 0",
        "route 10.9.0.0/16 10.1.0.9 0",
        "address fd00::5/64",
        "route6 default fd00::1",
        "dns 10.1.0.1",
        "dns fd00::1",
        "end",
    ]


def test_vendor_data_runs_before_user_data_and_neither_takes_the_others_place(guest: Guest) -> None:
    ran = guest.root / "ran"
    (guest.seed / "vendor-data").write_text(f"#!/bin/sh\nprintf one >>{ran}\n")
    guest.user_data(f"#!/bin/sh\nprintf two >>{ran}\n")
    guest.run('CONFIG=$STATE/none; run_logged() { sh "$1"; }; write_result() { :; }; apply_final')
    assert ran.read_text() == "onetwo"
