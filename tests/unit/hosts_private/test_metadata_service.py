"""The metadata service: who asks is known by the bridge, gets its own data only, and by EC2's tokens where they are wanted."""

from __future__ import annotations

import http.client
import json
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackengine.hosts.private.guest_data import EC2_VERSIONS, OPENSTACK_VERSIONS, Tokens, answer, guest_at
from stackengine.hosts.private.metadata import Service
from stackengine.hosts.private.neighbours import seen

FILES = {
    "latest/meta-data/instance-id": "i-1",
    "latest/meta-data/public-keys/": "0=mine",
    "latest/meta-data/public-keys/0/openssh-key": "ssh-ed25519 AAAA",
    "latest/user-data": "#!/bin/sh",
    "openstack/latest/meta_data.json": '{"uuid": "i-1"}',
}
MINE, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "\n".join(EC2_VERSIONS)),
        ("/openstack", "\n".join(OPENSTACK_VERSIONS)),
        ("/openstack/2012-08-10/meta_data.json", '{"uuid": "i-1"}'),
        ("/openstack/latest/", "meta_data.json"),
        ("/latest", "meta-data\nuser-data"),
        ("/2009-04-04/meta-data/", "instance-id\npublic-keys/"),
        ("//latest/meta-data/public-keys/", "0=mine"),
        ("/latest/meta-data/public-keys/0/", "openssh-key"),
        ("/latest/meta-data/iam", None),
        ("/2000-01-01/user-data", None),
    ],
)
def test_files_and_listings_are_those_of_both_clouds(path: str, text: str | None) -> None:
    assert answer(FILES, path) == text


def test_a_token_is_one_guests_and_ends() -> None:
    tokens = Tokens(b"key")
    made = tokens.made("a", 60, 1000.0)
    assert tokens.holds("a", made, 1060.0)
    assert not tokens.holds("b", made, 1000.0)
    assert not tokens.holds("a", made, 1061.0)
    assert not tokens.holds("a", f"fffffffff-{made.partition('-')[2]}", 1000.0)
    assert not tokens.holds("a", "zz", 1000.0)
    assert not Tokens(b"other").holds("a", made, 1000.0)


def test_who_asks_must_have_mac_address_and_port() -> None:
    entries: dict[str, dict[str, Any]] = {"a": {"macs": {MINE: ["10.0.0.5"]}}, "b": {"macs": {OTHER: []}}}
    assert guest_at("10.0.0.5", [(MINE, True)], entries) == "a"
    assert guest_at("10.0.0.9", [(OTHER, True)], entries) == "b"  # of a network without addresses any
    assert guest_at("10.0.0.6", [(MINE, True)], entries) == ""
    assert guest_at("10.0.0.5", [(MINE, False)], entries) == ""  # seen at somebody else's port
    assert guest_at("10.0.0.5", [], entries) == ""
    assert guest_at("10.0.0.5", [(MINE, True), (OTHER, True)], entries) == ""  # two may be it


def _bridge(root: Path, at: str) -> tuple[Path, Path]:
    """A kernel's view of a bridge with two taps, ``MINE`` seen at the port ``at``."""
    arp = root / "arp"
    arp.write_text(f"IP address HW type Flags HW address Mask Device\n10.0.0.5 0x1 0x2 {MINE} * br0\n10.0.0.7 0x1 0x0 00:00:00:00:00:00 * br0\n")
    for number, (tap, mac) in enumerate({"vnet0": MINE, "vnet1": OTHER}.items(), 1):
        (root / tap).mkdir()
        (root / tap / "address").write_text("fe" + mac[2:] + "\n")
        (root / "br0" / "brif" / tap).mkdir(parents=True)
        (root / "br0" / "brif" / tap / "port_no").write_text(f"{number:#x}\n")
    port = {"vnet0": 1, "vnet1": 2}[at]
    rows = [(bytes.fromhex("fe" + MINE[2:].replace(":", "")), 1, 1), (bytes.fromhex(MINE.replace(":", "")), port, 0)]
    (root / "br0" / "brforward").write_bytes(b"".join(struct.pack("6sBBIBBH", mac, p, own, 0, 0, 0, 0) for mac, p, own in rows))
    return arp, root


@pytest.mark.parametrize(("at", "own"), [("vnet0", True), ("vnet1", False)])
def test_a_mac_counts_only_at_the_tap_of_its_guest(tmp_path: Path, at: str, own: bool) -> None:
    arp, devices = _bridge(tmp_path, at)
    assert list(seen("10.0.0.5", arp, devices)) == [(MINE, own)]
    assert list(seen("10.0.0.7", arp, devices)) == []
    assert list(seen("10.0.0.50", arp, devices)) == []


class Asking:
    """A guest at 127.0.0.1; ``mac`` is what the bridge says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mac = folder, MINE
        self.service = Service(("127.0.0.1", 0), folder, lambda _address: [(self.mac, True)])

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.service.server_port, timeout=5)
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        found = connection.getresponse()
        text = found.read().decode()
        connection.close()
        return found.status, text

    def serve(self, guest: str, mac: str, tokens: str) -> None:
        (self.folder / f"{guest}.json").write_text(json.dumps({"macs": {mac: []}, "tokens": tokens, "files": FILES}))


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    found = Asking(tmp_path)
    threading.Thread(target=found.service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    found.service.shutdown()
    found.service.server_close()


def test_over_http_each_gets_its_own_and_changes_are_seen(asking: Asking) -> None:
    asking.serve("a", MINE, "optional")
    assert asking.ask("GET", "/latest/meta-data/instance-id") == (200, "i-1")
    assert asking.ask("GET", "/openstack/latest/meta_data.json") == (200, '{"uuid": "i-1"}')
    assert asking.ask("HEAD", "/latest/user-data") == (200, "")
    assert asking.ask("GET", "/latest/meta-data/nothing")[0] == 404
    asking.mac = OTHER
    assert asking.ask("GET", "/latest/meta-data/instance-id")[0] == 404
    asking.serve("b", OTHER, "optional")
    assert asking.ask("GET", "/latest/meta-data/instance-id")[0] == 200
    (asking.folder / "b.json").unlink()
    assert asking.ask("GET", "/latest/meta-data/instance-id")[0] == 404


def test_where_tokens_are_required_ec2s_paths_want_one_and_openstacks_know_none(asking: Asking) -> None:
    asking.serve("a", MINE, "required")
    assert asking.ask("GET", "/latest/meta-data/instance-id")[0] == 401
    assert asking.ask("GET", "/openstack/latest/meta_data.json")[0] == 200
    assert asking.ask("PUT", "/latest/api/token")[0] == 400
    assert asking.ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="21601")[0] == 400
    assert asking.ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60", x_forwarded_for="10.0.0.1")[0] == 403
    code, token = asking.ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")
    assert code == 200
    assert asking.ask("GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=token) == (200, "i-1")
    assert asking.ask("GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=token + "0")[0] == 401
    assert asking.ask("GET", "/openstackish/latest", x_aws_ec2_metadata_token="no")[0] == 401
