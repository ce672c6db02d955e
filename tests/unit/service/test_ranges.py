"""Ranges on a shared host: two stacks never get the same, who has one is named, and --remap-cidr takes a free one where nothing depends on it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.model.allowed import Pools
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import owner, prepare, stacks
from stackengine.service.session import Session
from stackengine.service.types import OperationResult, PlanMovedError, Request, ServiceError, Settings
from stackengine.store.errors import ClaimConflictError

pytestmark = pytest.mark.thorough

NET = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {cidr: %s, gateway: %s, mode: %s}}
  note: {type: 'SE::None', properties: {value: %s}}
outputs:
  cidr: {value: {get_attr: [net, cidr]}}
  gateway: {value: {get_attr: [net, gateway]}}
"""


def template(cidr: str = "10.80.0.0/24", gateway: str = "10.80.0.9", mode: str = "nat", note: str = "x") -> str:
    return NET % (f'"{cidr}"', f'"{gateway}"', mode, f'"{note}"')


class Shared:
    """One host with several stacks."""

    def __init__(self, folder: Path) -> None:
        self.file, self.settings = folder / "stack.yaml", Settings(str(folder / "state"), "memory://")

    def up(self, name: str, text: str, *, remap: bool = False) -> tuple[OperationResult, list[str]]:
        self.file.write_text(text)
        with service.open(self.settings) as session:
            preview = stacks.preview(session, Request(name, self.file, remap=remap))
            return stacks.carry_out(session, preview), [d.summary for d in preview.diagnostics]

    def refused(self, name: str, text: str, *, remap: bool = False) -> list[tuple[str, str]]:
        with pytest.raises(InvalidTemplateError) as caught:
            self.up(name, text, remap=remap)
        return [(d.code, d.summary) for d in caught.value.diagnostics.errors]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    monkeypatch.setattr(owner, "places", lambda: ())
    return Shared(tmp_path)


def test_who_has_a_range_is_named(shared: Shared) -> None:
    shared.up("first", template())
    for wanted, gateway in (("10.80.0.0/24", "10.80.0.1"), ("10.80.0.128/25", "10.80.0.129"), ("10.80.0.0/16", "10.80.1.1")):
        ((code, said),) = shared.refused("second", template(wanted, gateway))
        assert code == "L103"
        assert f"{wanted} is taken on memory://: the stack first has it" in said or "the network se-first-net" in said


def test_a_taken_range_is_mapped_with_its_own_addresses_and_stays_so(shared: Shared) -> None:
    shared.up("first", template())
    result, said = shared.up("second", template(), remap=True)
    found = ipaddress.ip_network(result.outputs["cidr"])
    assert not found.overlaps(ipaddress.ip_network("10.80.0.0/24"))
    assert result.outputs["gateway"] == str(found[9])
    assert any(f"it gets {found} in its place" in s for s in said)

    again, _ = shared.up("second", template(note="y"))  # without the flag, and although it is free by now
    assert (again.status, again.outputs["cidr"]) == ("complete", str(found))
    third, _ = shared.up("third", template(), remap=True)
    assert not ipaddress.ip_network(third.outputs["cidr"]).overlaps(found)


@pytest.mark.parametrize("note", ["http://10.80.0.17/", "10.80.0.0/24", "10.80.0.0/20", "from 10.80.0.3 on"])
def test_what_the_template_says_elsewhere_keeps_it_where_it_is(shared: Shared, note: str) -> None:
    shared.up("first", template())
    ((code, said),) = shared.refused("second", template(note=note), remap=True)
    assert code == "L141"
    assert "cannot be mapped, as note.value says 10.80.0." in said


@pytest.mark.parametrize("note", ["0.0.0.0/0", "10.0.0.0/8", "10.81.0.1", "version 10.80", "1.10.80.0.1"])
def test_what_means_no_address_of_it_does_not(shared: Shared, note: str) -> None:
    shared.up("first", template())
    assert shared.up("second", template(note=note), remap=True)[0].status == "complete"


def test_ipv6_too(shared: Shared) -> None:
    shared.up("first", template("fd00:5::/64", "fd00:5::1"))
    result, _ = shared.up("second", template("fd00:5::/64", "fd00:5::1"), remap=True)
    found = ipaddress.ip_network(result.outputs["cidr"])
    assert (found.prefixlen, found.is_private, str(found) != "fd00:5::/64") == (64, True, True)
    assert result.outputs["gateway"] == str(found[1])


def test_two_that_were_planned_at_once_never_overlap(shared: Shared) -> None:
    shared.file.write_text(template())
    with service.open(shared.settings) as session:
        wide = stacks.preview(session, Request("wide", shared.file, remap=True))
        narrow = shared.file.with_name("narrow.yaml")
        narrow.write_text(template("10.80.0.128/25", "10.80.0.129"))
        late = stacks.preview(session, Request("narrow", narrow, remap=True))
        strict = stacks.preview(session, Request("strict", narrow))
        assert stacks.carry_out(session, wide).outputs["cidr"] == "10.80.0.0/24"
        with pytest.raises(PlanMovedError):
            stacks.carry_out(session, late)
        again = stacks.preview(session, Request("narrow", narrow, remap=True))
        found = ipaddress.ip_network(stacks.carry_out(session, again).outputs["cidr"])
        assert found.prefixlen == 25
        assert not found.overlaps(ipaddress.ip_network("10.80.0.0/24"))
        with pytest.raises(InvalidTemplateError):
            stacks.carry_out(session, strict)


def test_a_range_that_is_taken_while_a_plan_is_made_is_mapped_when_it_is_made_anew(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.file.write_text(template())
    narrow = shared.file.with_name("narrow.yaml")
    narrow.write_text(template("10.80.0.128/25", "10.80.0.129"))
    with service.open(shared.settings) as session:
        first, chosen = [stacks.preview(session, Request("wide", shared.file))], prepare.with_free_ranges

        def meanwhile(*arguments: Any, **named: Any) -> Any:
            found = chosen(*arguments, **named)
            if first:  # right after the ranges were looked at
                stacks.carry_out(session, first.pop())
            return found

        monkeypatch.setattr(prepare, "with_free_ranges", meanwhile)
        late = stacks.preview(session, Request("narrow", narrow, remap=True))
        with pytest.raises(PlanMovedError):
            stacks.carry_out(session, late)
        again = stacks.preview(session, Request("narrow", narrow, remap=True))
        assert not ipaddress.ip_network(stacks.carry_out(session, again).outputs["cidr"]).overlaps(ipaddress.ip_network("10.80.0.0/24"))


def test_the_store_gives_no_range_out_that_overlaps(shared: Shared) -> None:
    from stackengine.model.instance import Claim

    with service.open(shared.settings) as session:
        store = session.store
        for name in ("a", "b"):
            store.record(store.fresh(name, "lab://", "hot"))
        one, other = (store.stack(n) for n in ("a", "b"))
        assert one is not None
        assert other is not None
        wide, narrow, elsewhere = Claim("lab://", "cidr", "10.0.0.0/16"), Claim("lab://", "cidr", "10.0.3.0/24"), Claim("x://", "cidr", "10.0.3.0/24")
        store.claim_more(one.id, [wide], {wide: "net@1"})
        store.claim_more(one.id, [narrow], {narrow: "sub@1"})
        with pytest.raises(ClaimConflictError, match="overlaps"):
            store.claim_more(other.id, [Claim("lab://", "cidr", "10.0.2.0/23")], {Claim("lab://", "cidr", "10.0.2.0/23"): "net@1"})
        store.claim_more(other.id, [elsewhere], {elsewhere: "net@1"})


def foreign(session: Session) -> Any:
    host: Any = session.host("memory://")
    xml = "<network><name>theirs</name><uuid>11111111-1111-8111-8111-111111111111</uuid><bridge name='virbr9'/>%s</network>"
    host.network_define(xml % "<ip address='10.99.0.1' netmask='255.255.255.0'><dhcp><host mac='52:54:00:AA:00:01' ip='10.99.0.5'/></dhcp></ip>")
    return host


def test_networks_routes_and_interfaces_of_the_host_are_in_the_way(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    with service.open(shared.settings) as session:
        host = foreign(session)
        monkeypatch.setattr(type(host), "routes", lambda _: [("10.88.0.0/16", "eth0")], raising=False)
        monkeypatch.setattr(type(host), "links", lambda _: ["eth0"], raising=False)
    assert "the network theirs has it" in shared.refused("a", template("10.99.0.0/25", "10.99.0.1"))[0][1]
    assert "the route through eth0 has it" in shared.refused("a", template("10.88.7.0/24", "10.88.7.1"))[0][1]
    assert "an interface of the host has it" in shared.refused("a", template("10.1.0.0/24", "10.1.0.1", "nat, bridge: eth0"))[0][1]


def test_what_is_left_open_comes_from_the_pools_of_the_owner(shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "owner.yaml"
    file.write_text('pools: {subnets: [10.200.0.0/23, "fd00:7::/48"], macs: "52:54:00:7a", bridges: ci-, ports: 30000-30009}\n')
    monkeypatch.setattr(owner, "places", lambda: (file,))
    assert owner.pools() == Pools(("10.200.0.0/23", "fd00:7::/48"), "52:54:00:7a", "ci-", (30000, 30009))
    assert owner.allowed() is not None
    text = NET.replace(", gateway: %s", "") % ("auto", "nat", "x")
    found = {shared.up(f"s{n}", text)[0].outputs["cidr"] for n in range(2)}
    assert found == {"10.200.0.0/24", "10.200.1.0/24"}
    assert "no free cidr on memory://: all 2 that may be given are taken" in shared.refused("s3", text)[0][1]
    with monkeypatch.context() as smaller:
        smaller.setattr(owner, "pools", lambda: Pools(("10.200.1.0/24",)))
        assert "no free cidr on memory://: 10.200.1.0/24, the only one that may be given, is taken" in shared.refused("s4", text)[0][1]
    six = shared.up("six", text.replace("auto", "auto-ipv6"))[0].outputs["cidr"]
    assert ipaddress.ip_network(six).subnet_of(ipaddress.ip_network("fd00:7::/48"))  # type: ignore[arg-type]
    with service.open(shared.settings) as session:
        bridges = [n.bridge for n in session.host("memory://").network_list()]
    assert all(b.startswith("ci-") for b in bridges)


@pytest.mark.parametrize(
    "text",
    ["pools: [x]", "pools: {nets: []}", "pools: {macs: '01:00:5e'}", "pools: {ports: 9-1}", "pools: {bridges: toolong-}", "pools: {subnets: [10.0.0.0/30]}"],
)
def test_pools_that_are_not_in_order_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = tmp_path / "owner.yaml"
    file.write_text(text)
    monkeypatch.setattr(owner, "places", lambda: (file,))
    with pytest.raises(ServiceError, match=r"owner\.yaml"):
        owner.pools()
