"""Placement: nothing beyond what a host has, groups kept, the largest first, and quickly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.planning.placement import SCHEDULERS, HostFacts, Ratios, Wanted, place

RATIOS = Ratios(vcpus=2.0, memory=1.0)
HOSTS = st.lists(st.builds(HostFacts, st.uuids().map(str), st.integers(1, 8), st.integers(64, 1024), st.sampled_from(["ready", "cordoned"])), max_size=6)
WANTED = st.lists(st.builds(Wanted, st.uuids().map(str), st.integers(1, 4), st.integers(32, 512), apart=st.sampled_from(["", "g"]),
                            together=st.sampled_from(["", "t"])), max_size=10)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(HOSTS, WANTED, st.sampled_from(SCHEDULERS))
def test_nothing_is_given_out_twice_and_every_refusal_has_a_reason(hosts: list[HostFacts], wanted: list[Wanted], scheduler: str) -> None:
    found = place(wanted, hosts, scheduler, RATIOS)
    assert found.on.keys() | found.rejected.keys() == {w.path for w in wanted}
    assert found.on.keys().isdisjoint(found.rejected)
    for host in hosts:
        here = [w for w in wanted if found.on.get(w.path) == host.uri]
        assert not here or host.state == "ready"
        assert sum(w.memory for w in here) <= host.memory
        assert sum(w.vcpus for w in here) <= host.vcpus * 2
        assert sum(w.apart == "g" for w in here) <= 1
    assert len({found.on[w.path] for w in wanted if w.together and w.path in found.on}) <= 1
    for path, reasons in found.rejected.items():
        assert reasons.keys() == {h.uri for h in hosts}
        assert all(reasons.values()), path


def test_the_largest_goes_first_so_that_all_fit() -> None:
    hosts = [HostFacts("a", 8, 100), HostFacts("b", 8, 60)]
    wanted = [Wanted("small", 1, 60), Wanted("large", 1, 100)]
    assert place(wanted, hosts).on == {"large": "a", "small": "b"}


def test_why_no_host_fits_is_told_by_reason() -> None:
    hosts = [HostFacts("a", 8, 100, "cordoned"), HostFacts("b", 8, 60, zone="east"), HostFacts("c", 8, 60, zone="west"), HostFacts("d", 8, 9, zone="west")]
    found = place([Wanted("web", 1, 70, zone="west"), Wanted("db", 1, 5, zone="west", features=frozenset({"uefi"}))], hosts)
    assert found.reasons("web") == (
        "a: it is cordoned; b: it is in zone east, not in west; c: memory: 70 MiB wanted, 60 left; d: memory: 70 MiB wanted, 9 left"
    )
    assert "it has no uefi" in found.reasons("db")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_thousand_servers_on_a_thousand_hosts_take_less_than_a_second(scheduler: str) -> None:
    hosts = [HostFacts(f"memory://{n}", 16, 65_536, zone=f"z{n % 4}") for n in range(1000)]
    wanted = [Wanted(f"s{n}", 1 + n % 8, 512 * (1 + n % 8), apart="spread" if n % 10 == 0 else "") for n in range(1000)]
    started = time.process_time()
    found = place(wanted, hosts, scheduler)
    assert time.process_time() - started < 1.0
    assert len(found.on) == 1000
