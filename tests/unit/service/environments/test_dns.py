"""Published names: each has a loopback address of its own, and the zone answers for exactly those."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.service import owner, stacks
from stackengine.service.environments import dns
from stackengine.service.types import Request, ServiceError, Settings

pytestmark = pytest.mark.thorough

TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: auto}}
  web: {type: 'SE::Server', properties: {image: tiny, networks: [{network: {get_resource: net}}]}}
  page: {type: 'SE::PublishedPort', properties: {server: {get_resource: web}, target_port: 80, port: 8080, name: www}}
outputs:
  url: {value: {get_attr: [page, url]}}
"""
ZONE = "env.internal"
NAMES = {"www.a.env.internal": "127.64.0.9"}


def query(name: str, type_: int = dns.A, number: int = 7, class_: int = 1) -> bytes:
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", type_, class_)


def read(packet: bytes | None) -> tuple[int, str]:
    """(code, address)."""
    assert packet is not None
    _, flags, _, answers, _, _ = struct.unpack_from(">HHHHHH", packet)
    assert flags & 0x8400 == 0x8400, "an authoritative answer"
    return flags & 15, ".".join(map(str, packet[-4:])) if answers else ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (query("www.a.env.internal"), (dns.OK, "127.64.0.9")),
        (query("WWW.a.Env.internal"), (dns.OK, "127.64.0.9")),
        (query("www.a.env.internal", 28), (dns.OK, "")),
        (query("a.env.internal"), (dns.OK, "")),
        (query("env.internal"), (dns.OK, "")),
        (query("www.b.env.internal"), (dns.NO_SUCH_NAME, "")),
        (query("www.example.org"), (dns.REFUSED, "")),
        (query("xenv.internal"), (dns.REFUSED, "")),
    ],
)
def test_answers(asked: bytes, found: tuple[int, str]) -> None:
    assert read(dns.answer(asked, ZONE, NAMES)) == found


def test_what_is_no_query_has_no_answer() -> None:
    whole = query("www.a.env.internal")
    for packet in (b"", whole[:11], whole[:20], whole[:-1], whole[:2] + b"\x81" + whole[3:], b"\xff" * 40, os.urandom(12) + b"\xc0\x0c"):
        assert dns.answer(packet, ZONE, NAMES) is None or packet[2] & 0x80 == 0


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "owner.yaml").write_text(f"pools: {{zone: {ZONE}, addresses: 127.64.0.0/24}}\n")
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    monkeypatch.setattr(owner, "places", lambda: (tmp_path / "owner.yaml",))
    return Settings(str(tmp_path / "state"), "memory://")


def test_every_stack_has_the_same_port_at_a_name_of_its_own(settings: Settings, tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    with service.open(settings) as session:
        for name in ("shop-a-k3vq7a", "Shop_B"):
            result = stacks.carry_out(session, stacks.preview(session, Request(name, tmp_path / "stack.yaml")))
            found[name] = result.outputs["url"]
        assert found == {"shop-a-k3vq7a": f"http://www.shop-a-k3vq7a.{ZONE}:8080/", "Shop_B": f"http://www.shop-b.{ZONE}:8080/"}
        names = session.store.published_names()
        assert set(names) == {f"www.shop-a-k3vq7a.{ZONE}", f"www.shop-b.{ZONE}"}
        assert len(set(names.values())) == 2
        said: list[str] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with dns.serving(settings, f"127.0.0.1:{port}", said.append), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.sendto(query(f"www.shop-b.{ZONE}"), ("127.0.0.1", port))
            assert read(client.recv(512)) == (dns.OK, names[f"www.shop-b.{ZONE}"])
        assert said == []
        assert stacks.carry_out(session, stacks.preview_down(session, "Shop_B")).status == "complete"
        assert set(session.store.published_names()) == {f"www.shop-a-k3vq7a.{ZONE}"}


def test_without_a_zone_it_is_an_address(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "places", lambda: ())
    with service.open(settings) as session:
        assert stacks.carry_out(session, stacks.preview(session, Request("a", tmp_path / "stack.yaml"))).outputs["url"] == "http://127.0.0.1:8080/"
    with pytest.raises(ServiceError, match="has no zone"), dns.serving(settings, "127.0.0.1:0", print):
        pass


def test_a_place_that_is_none_is_told(settings: Settings) -> None:
    for place in ("here", "127.0.0.1:99999", "192.0.2.1:53"):
        with pytest.raises(ServiceError, match="cannot be served"), dns.serving(settings, place, print):
            pass
