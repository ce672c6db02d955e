"""One stack on several hosts: what a server uses of another host is brought to its own, and goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.memory.faults import Faults
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.model.instance import Claim, Piece
from stackengine.sdk import Cancelled
from stackengine.service import fencing, inventory, stacks
from stackengine.service.drift import look
from stackengine.service.moving import preview_leave, preview_migrate
from stackengine.service.stacks import carry_out, preview_rollback
from stackengine.store import tables
from unit.service.house import STACK, House, plan_of, run

pytestmark = pytest.mark.thorough

A, B, C = "memory://a", "memory://b", "memory://c"
NETWORK = "net: {type: 'SE::Network', properties: {cidr: 10.20.30.0/24}}\n"


def server(name: str, **placement: Any) -> str:
    words = ", ".join(f"{k}: {v}" for k, v in placement.items())
    return f"{name}: {{type: 'SE::Server', properties: {{image: tiny, networks: [{{network: {{get_resource: net}}}}], placement: {{{words}}}}}}}\n"


@pytest.fixture
def hosts(house: House) -> House:
    for number, uri in enumerate((A, B, C), 1):
        inventory.add(house.session, uri, vcpus=8, memory=8192, underlay=f"10.99.0.{number}", zone=f"z{number}")
    house.session.settings = type(house.session.settings)(str(house.folder))
    return house


def on(house: House, uri: str) -> MemoryHost:
    found = house.session.host(uri)
    assert isinstance(found, MemoryHost)
    return found


def networks(house: House, uri: str) -> list[str]:
    return [n.name for n in on(house, uri).network_list()]


TWO = NETWORK + server("web", host="a") + server("db", host="b")
RECORD = "apart: {type: 'SE::ServerGroup', properties: {policy: soft-anti-affinity}}\n"


def test_a_network_has_a_piece_on_each_host_and_goes_with_the_stack(hosts: House) -> None:
    done = hosts.up(TWO)
    assert done.status == "complete"
    placed = {p: i.host for p, i in hosts.instances().items()}
    assert placed == {"net": A, "web": A, "db": B, "image:tiny": A, "image:tiny:b": B, "net:a": A, "net:b": B}
    assert networks(hosts, A) == networks(hosts, B) != []
    tunnels = {uri: next(iter(on(hosts, uri).forwarding().values()))[0] for uri in (A, B)}
    assert (tunnels[A]["address"], tunnels[A]["peers"]) == ("10.99.0.1", ["10.99.0.2"])
    assert (tunnels[B]["peers"], tunnels[A]["vni"]) == (["10.99.0.1"], tunnels[B]["vni"])
    assert "<dhcp>" not in on(hosts, B).network_list()[0].xml
    assert "<dhcp>" in on(hosts, A).network_list()[0].xml
    assert hosts.plan(TWO).plan.empty
    assert look(hosts.session, STACK).differences == ()
    assert hosts.down().status == "complete"
    for uri in (A, B):
        assert on(hosts, uri).domain_list() == on(hosts, uri).network_list() == []
        assert on(hosts, uri).forwarding() == {}


def test_a_third_host_joins_and_leaves(hosts: House) -> None:
    assert hosts.up(TWO).status == "complete"
    three = TWO + server("cache", host="c")
    changed = hosts.plan(three)
    assert {"create:net:c@1", "update:net:a@1", "update:net:b@1", "create:cache@1"} <= set(plan_of(changed))
    assert not any("web" in a or "db" in a for a in plan_of(changed))
    assert carry_out(hosts.session, changed).status == "complete"
    assert next(iter(on(hosts, A).forwarding().values()))[0]["peers"] == ["10.99.0.2", "10.99.0.3"]
    assert carry_out(hosts.session, preview_rollback(hosts.session, STACK)).status == "complete"
    assert networks(hosts, C) == []
    assert next(iter(on(hosts, A).forwarding().values()))[0]["peers"] == ["10.99.0.2"]


def test_a_failure_on_one_host_takes_back_what_was_made_on_the_other(hosts: House) -> None:
    on(hosts, B).faults = Faults(fail={"domain_start": 0})
    assert hosts.up(TWO).status == "rolled_back"
    on(hosts, B).faults = Faults()
    assert hosts.instances() == {}
    for uri in (A, B):
        assert on(hosts, uri).domain_list() == on(hosts, uri).network_list() == []


def test_a_host_without_an_address_for_the_others_is_refused(hosts: House) -> None:
    inventory.write(hosts.folder, inventory.Inventory(tuple(replace(h, underlay="" if h.uri == B else h.underlay) for h in inventory.read(hosts.folder).hosts)))
    with pytest.raises(InvalidTemplateError) as refused:
        hosts.plan(TWO)
    (error,) = refused.value.diagnostics.errors
    assert (error.code, error.hint) == ("K121", f"stack-run hosts add {B} --underlay ADDRESS")
    assert error.mark.line > 1


def test_a_server_with_another_name_stays_on_its_host(hosts: House) -> None:
    assert hosts.up(TWO).status == "complete"
    renamed = TWO.replace("db:", "store:").replace("placement: {host: b}}", "placement: {}}, metadata: {stackengine: {moved_from: db}}")
    changed = hosts.plan(renamed)
    assert [a.verb for a in changed.plan.actions.values() if a.path == "store"] == ["update"]
    assert carry_out(hosts.session, changed).status == "complete"
    assert hosts.instances()["store"].host == B
    assert inventory.stacks_on(hosts.session, B) == [STACK]


GROUP = "apart: {type: 'OS::Nova::ServerGroup', properties: {policies: [anti-affinity]}}\n"
MEMBERS = "".join(server(f"s{n}", groups="[{get_resource: apart}]") for n in range(3))


def test_members_of_a_group_are_apart_and_the_plan_says_why_no_host_fits(hosts: House) -> None:
    assert hosts.up(NETWORK + GROUP + MEMBERS).status == "complete"
    assert sorted(i.host for p, i in hosts.instances().items() if p in ("s0", "s1", "s2")) == [A, B, C]
    with pytest.raises(InvalidTemplateError) as refused:
        hosts.plan(NETWORK + GROUP + MEMBERS + server("s3", groups="[{get_resource: apart}]"))
    assert "it has a member of apart already" in refused.value.diagnostics.errors[0].summary


def test_zones_and_scheduler_hints_of_heat(hosts: House) -> None:
    one = "{type: 'OS::Nova::Server', properties: {image: tiny, flavor: m1.tiny, networks: [{network: {get_resource: net}}], "
    text = NETWORK + f"one: {one}availability_zone: z2}}}}\n" + f"two: {one}scheduler_hints: {{same_host: [{{get_resource: one}}]}}}}}}\n"
    text += f"three: {one}scheduler_hints: {{different_host: [{{get_resource: one}}]}}}}}}\n"
    assert hosts.up(text).status == "complete"
    found = hosts.instances()
    assert found["one"].host == found["two"].host == B
    assert found["three"].host != B


def test_without_an_inventory_all_is_on_one_host_and_the_plan_says_what_that_means(house: House) -> None:
    found = house.plan(NETWORK + GROUP + MEMBERS)
    assert {a.instance.host for a in found.plan.actions.values()} == {"memory://"}
    assert [d.code for d in found.diagnostics if d.severity == "warning"] == ["K123"]


def test_a_server_moves_as_it_runs_and_what_it_had_goes_along(hosts: House) -> None:
    assert hosts.up(TWO).status == "complete"
    uuid, before = hosts.instances()["web"].identity["uuid"], hosts.instances()["web"]
    found = preview_migrate(hosts.session, STACK, ["web"], "c")
    assert {"move:web@1", "create:net:c@1"} <= set(plan_of(found))
    assert carry_out(hosts.session, found).status == "complete"
    after = hosts.instances()["web"]
    assert (after.host, after.generation, after.identity, after.pieces) == (C, 1, before.identity, (Piece("0", C, uuid),))
    assert {c.host for c in after.claims if c.kind == "mac"} == {C}
    assert claims(hosts, "web@1") == set(after.claims)
    assert on(hosts, A).domain_info(uuid) is None
    assert on(hosts, C).domain_info(uuid).state == "running"  # type: ignore[union-attr]
    assert "domain_start" not in on(hosts, C).faults.counts
    assert not [v for v in on(hosts, A).volume_names("default") if "web" in v]
    assert hosts.plan(TWO).plan.empty  # the next up leaves it where it is
    assert look(hosts.session, STACK).differences == ()
    assert carry_out(hosts.session, preview_rollback(hosts.session, STACK)).status == "complete"
    assert hosts.instances()["web"].host == A
    assert on(hosts, C).domain_list() == []


def claims(house: House, instance: str) -> set[Claim]:
    with house.session.store.database.reading() as connection:
        rows = connection.execute(sa.select(tables.claim.c.host, tables.claim.c.kind, tables.claim.c.value).where(tables.claim.c.instance == instance))
        return {Claim(*r) for r in rows}


def calls_of_a_move(hosts: House, end: str) -> int:
    found = preview_migrate(hosts.session, STACK, ["web"], "c")
    on(hosts, end).faults = Faults()
    assert carry_out(hosts.session, found).status == "complete"
    count = on(hosts, end).faults.total
    assert carry_out(hosts.session, preview_migrate(hosts.session, STACK, ["web"], "a")).status == "complete"
    return count


@pytest.mark.thorough
@pytest.mark.parametrize("end", [A, C])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_move_that_dies_at_any_call_is_finished_by_resume(hosts: House, end: str, side: str) -> None:
    assert hosts.up(TWO).status == "complete"
    uuid = hosts.instances()["web"].identity["uuid"]
    stopped = 0
    for number in range(1, calls_of_a_move(hosts, end) + 1, 3):

        def die(_call: str, total: int, at: int = number) -> None:
            if total == at:
                raise Cancelled("stopped on purpose")

        found = preview_migrate(hosts.session, STACK, ["web"], "c")
        on(hosts, end).faults = Faults(**{side: die})  # type: ignore[arg-type]
        ended = carry_out(hosts.session, found)
        assert ended.status in ("cancelled", "complete"), number  # another thread may have made this call
        stopped += ended.status == "cancelled"
        on(hosts, end).faults = Faults()
        running = [uri for uri in (A, C) if (d := on(hosts, uri).domain_info(uuid)) and d.state == "running"]
        assert len(running) == 1, (number, running)
        resumed = hosts.resume() if ended.status == "cancelled" else ended
        assert resumed is not None
        assert resumed.status == "complete", number
        assert [uri for uri in (A, C) if on(hosts, uri).domain_info(uuid)] == [C], number
        assert carry_out(hosts.session, preview_migrate(hosts.session, STACK, ["web"], "a")).status == "complete"
    assert stopped > 3


def test_drain_takes_servers_away_and_then_the_networks(hosts: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert hosts.up(TWO.replace("placement: {host: a}", "name: w") + RECORD).status == "complete"
    assert hosts.instances()["web"].host == A
    run(hosts, capsys, "hosts", "drain", "a", "--yes")
    assert A not in {i.host for p, i in hosts.instances().items() if p in ("web", "db", "net", "apart")}
    assert on(hosts, A).domain_list() == on(hosts, A).network_list() == []
    assert on(hosts, A).forwarding() == {}
    assert {i.generation for p, i in hosts.instances().items() if p in ("web", "db", "net")} == {1}
    row = hosts.session.store.stack(STACK)
    assert row is not None
    assert row.host == hosts.instances()["net"].host != A
    assert "<dhcp>" in on(hosts, row.host).network_list()[0].xml
    assert look(hosts.session, STACK).differences == ()
    (listed,) = [h for h in run(hosts, capsys, "hosts", "ls")[0]["hosts"] if h["uri"] == A]
    assert (listed["state"], listed["stacks"]) == ("draining", [])


def test_what_was_on_a_dead_host_is_made_again_elsewhere(hosts: House, capsys: pytest.CaptureFixture[str]) -> None:
    for uri in (A, B, C):
        on(hosts, uri).pool_define("<pool type='dir'><name>fast</name></pool>")
    assert hosts.up(TWO.replace("image: tiny", "image: tiny, pool: fast", 1) + RECORD).status == "complete"
    before = hosts.instances()["web"]
    assert len(on(hosts, A).volume_names("fast")) > 1
    assert run(hosts, capsys, "evacuate", A, "--yes", code=2)[-1]["message"].startswith(f"{A} may still run its servers")
    assert "answers" in run(hosts, capsys, "evacuate", A, "--yes", "--host-is-dead", code=2)[-1]["message"]
    left = on(hosts, A).snapshot()
    on(hosts, A).faults = Faults(unreachable=True)
    assert [i.partition("@")[0] for i, _ in look(hosts.session, STACK).unreadable] == ["image:tiny", "net", "net:a", "web"]
    assert fencing.fence(hosts.session, "a", said_dead=True) == A
    assert stacks.show(hosts.session, STACK).summary.hosts_down == (A,)
    leaving = preview_leave(hosts.session, STACK, A)
    notes = next(a.notes for a in leaving.plan.actions.values() if a.path == "web")
    assert notes == (f"it is made again as it was first, and what its disks held is lost with {A}",)
    assert carry_out(hosts.session, leaving, on_failure="keep").status == "complete"
    assert on(hosts, A).snapshot() == left  # nothing was asked of it
    found = hosts.instances()
    assert A not in {i.host for i in found.values()}
    assert (found["web"].generation, found["web"].identity) == (1, before.identity)
    assert claims(hosts, "web@1") == set(found["web"].claims)
    assert on(hosts, found["web"].host).domain_info(before.identity["uuid"]).state == "running"  # type: ignore[union-attr]
    assert (look(hosts.session, STACK).differences, look(hosts.session, STACK).unreadable) == ((), ())
    assert {r.status for r in stacks.show(hosts.session, STACK).resources} == {"ready"}
    run(hosts, capsys, "hosts", "uncordon", "a")
    assert on(hosts, A).domain_list() == on(hosts, A).network_list() == on(hosts, A).volume_names("fast") == []
    assert hosts.down().status == "complete"
