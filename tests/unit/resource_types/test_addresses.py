"""Subnets and addresses that types propose."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine import sdk


def test_free_subnets_start_at_a_hashed_place_and_come_round() -> None:
    found = list(sdk.free_subnets(b"\xff\xfe"))
    assert len(found) == len(set(found)) == 64 * 256
    assert all(ipaddress.IPv4Network(s).subnet_of(ipaddress.IPv4Network("10.64.0.0/10")) for s in found)


NO_SUBNETS = [("10.0.0.1/24", "not a subnet"), ("nonsense", "not a subnet"), ("10.0.0.0/31", "no room"), ("fd00::/127", "no room")]


@pytest.mark.parametrize(("text", "problem"), NO_SUBNETS)
def test_what_is_no_subnet_is_refused(text: str, problem: str) -> None:
    with pytest.raises(sdk.RefusedError, match=problem):
        sdk.normal_subnet(text)


@pytest.mark.parametrize(("gateway", "pools", "problem"), [
    ("10.9.9.9", [], "the gateway 10.9.9.9 is not in"),
    ("", [{"start": "10.9.9.9", "end": "10.0.0.9"}], "the start of a pool"),
    ("", [{"start": "10.0.0.9", "end": "10.0.0.5"}], "ends before it starts"),
    ("x", [], "the gateway"),
])  # fmt: skip
def test_a_gateway_or_pool_outside_is_refused(gateway: str, pools: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(sdk.RefusedError, match=problem):
        sdk.subnet_range("10.0.0.0/24", gateway, pools)


def test_a_given_address_is_the_only_one_tried() -> None:
    subnet = sdk.subnet_range("10.0.0.0/24")
    assert list(sdk.free_addresses(subnet, b"ab", "10.0.0.77")) == ["10.0.0.77"]
    with pytest.raises(sdk.RefusedError, match=r"the address 10\.0\.1\.1 is not in"):
        sdk.free_addresses(subnet, b"ab", "10.0.1.1")


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(st.integers(20, 30), st.binary(min_size=2, max_size=2), st.data())
def test_every_usable_address_is_tried_once_and_no_other(prefix: int, start: bytes, data: st.DataObject) -> None:
    network = ipaddress.ip_network(f"10.16.0.0/{prefix}")
    gateway = str(network[data.draw(st.integers(1, network.num_addresses - 2))])
    found = list(sdk.free_addresses(sdk.subnet_range(str(network), gateway), start))
    assert len(found) == len(set(found))
    assert set(found) == {str(a) for a in network.hosts()} - {gateway}


def test_pools_limit_what_is_tried() -> None:
    subnet = sdk.subnet_range("10.0.0.0/24", "10.0.0.51", [{"start": "10.0.0.50", "end": "10.0.0.52"}, {"start": "10.0.0.90", "end": "10.0.0.90"}])
    assert sorted(sdk.free_addresses(subnet, b"\x00\x03")) == ["10.0.0.50", "10.0.0.52", "10.0.0.90"]


def test_a_large_ipv6_range_is_no_trouble() -> None:
    subnet = sdk.subnet_range("fd00::/64")
    assert subnet.gateway == "fd00::1"
    assert next(iter(sdk.free_addresses(subnet, b"\x12\x34"))).startswith("fd00::")


@given(st.text(min_size=1, max_size=60))
def test_a_serial_fits_and_tells_paths_apart(path: str) -> None:
    assert 3 < len(sdk.serial_of(path)) <= 20
    assert sdk.serial_of("a" * 40) != sdk.serial_of("a" * 41)
    assert sdk.serial_of("db_volume") == "se-db_volume"
