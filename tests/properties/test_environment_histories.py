"""Random histories of environments on one memory host: pushes, crashes, deletions, expiry, pins, parking, quotas and reapers in any order."""

from __future__ import annotations

import ipaddress
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackengine import service
from stackengine.events import Event
from stackengine.model.allowed import Quotas, Room
from stackengine.service import owner, stacks
from stackengine.service.environments import park, reap, up
from stackengine.service.environments.life import GRACE
from stackengine.service.environments.origin import Origin
from stackengine.service.grounds import subnets_of
from stackengine.service.session import Session
from stackengine.service.types import PlanMovedError, Request, ServiceError, Settings

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string}
  cidr: {type: string, default: auto}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: {get_param: cidr}}}
  disk: {type: 'SE::Volume', properties: {size: 1}}
  web:
    type: SE::Server
    properties:
      memory: 128
      networks: [{network: {get_resource: net}}]
      volumes: [{volume: {get_resource: disk}, boot: true}]
      metadata: {commit: {get_param: commit}}
  page: {type: 'SE::PublishedPort', properties: {server: {get_resource: web}, target_port: 80}}
"""
BRANCHES = ("main", "a", "b")
RANGES = {"main": "auto", "a": "10.80.0.0/24", "b": "10.80.0.128/25"}
"""What their templates say; what is taken is mapped to a free one."""
BRANCH = st.sampled_from(BRANCHES)
STEP = st.one_of(
    st.tuples(st.just("push"), BRANCH, st.integers(1, 3)),
    st.tuples(st.just("crash"), BRANCH, st.integers(1, 9)),
    st.tuples(st.sampled_from(["pin", "unpin", "park", "delete", "create", "down"]), BRANCH, st.just(0)),
    st.tuples(st.just("reap"), st.just(""), st.sampled_from([0, 700, int(GRACE) + 1, 40_000])),
    st.tuples(st.just("quota"), st.just(""), st.integers(1, 4)),
)


class Crash(BaseException):
    """The process dies here."""


class History:
    """One machine, and what must hold of it."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.template = Settings(str(folder / "state"), "memory://"), folder / "stack.yaml"
        self.template.write_text(TEMPLATE)
        self.ahead, self.quotas, self.session = 0.0, Quotas(), service.open(self.settings)
        self.there, self.seen = {"main", "a"}, set[str]()
        """What is at the remote (b is not pushed yet), and the stacks whose branch a reaper saw there."""

    def now(self) -> float:
        return time.time() + self.ahead

    def play(self, verb: str, branch: str, number: int) -> None:
        session = self.session
        if verb in ("push", "crash"):
            self.push(session, branch, number, die=number if verb == "crash" else 0)
        elif verb in ("pin", "unpin", "park", "down"):
            with suppress(ServiceError):
                self.change(session, verb, up.find(session, branch))
        elif verb in ("delete", "create"):
            (self.there.discard if verb == "delete" else self.there.add)(branch)
        elif verb == "quota":
            self.quotas = Quotas(host=Room(environments=number))
        else:
            self.reap(session, number)
        if verb == "crash":  # what comes next is another process
            session.close()
            self.session = service.open(self.settings)
        self.check(self.session)

    def push(self, session: Session, branch: str, number: int, die: int) -> None:
        wanted = up.Wanted(Origin("git.example/shop", branch, str(number), "git.example/shop"))
        left, said = [die], {"commit": str(number), "cidr": RANGES[branch]}

        def watch(_event: Event) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Crash

        with suppress(Crash, PlanMovedError):
            preview = up.with_commit(stacks.preview(session, Request(wanted.name, self.template, said, remap=True)), wanted)
            up.begin(session, preview, wanted)
            row = preview.prepared.stack
            if preview.new_stack:
                row.tags["environment"]["expires_at"] = self.now() + 28_800
            else:
                up.change(session, row, lambda life: replace(life, expires_at=self.now() + 28_800))
            result = stacks.carry_out(session, preview, watch=watch)
            up.conclude(session, wanted, result)

    def change(self, session: Session, verb: str, found: up.Environment) -> None:
        if verb == "down":
            reap.down(session, found.row.name)
        elif verb == "park":
            park.park(session, found)
        else:
            up.change(session, found.row, lambda life: replace(life, pinned=verb == "pin"))

    def reap(self, session: Session, later: int) -> None:
        self.ahead += later
        before = {e.life.branch: e for e in up.ls(session)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, "quotas", lambda: self.quotas)
            said = {r.branch: r for r in reap.reap(session, ask=lambda _: frozenset(self.there), clock=self.now)}
        after = {e.life.branch for e in up.ls(session)}
        for branch, found in before.items():
            if found.life.pinned:
                assert branch in after, said[branch]
            elif branch not in after and not said[branch].verdict.reason.startswith("over quota"):
                expired, gone = (found.life.expires_at or 0.0) < self.now(), branch not in self.there and found.row.id in self.seen
                assert expired or gone or found.row.revision == 0, said[branch]
        self.seen |= {e.row.id for b, e in before.items() if b in self.there}
        most = self.quotas.host.environments
        assert most is None or len(after) <= max(most, sum(1 for e in before.values() if e.life.pinned)), said

    def check(self, session: Session) -> None:
        """Nothing is given twice on the host."""
        state: dict[str, Any] = session.host("memory://").snapshot()  # type: ignore[attr-defined]
        macs = Counter(m.get("address") for d in state["domains"].values() for m in ET.fromstring(d["xml"]).findall("devices/interface/mac"))
        names = Counter(d["name"] for k in ("domains", "networks") for d in state[k].values())
        subnets = [ipaddress.ip_network(s) for n in state["networks"].values() for s in subnets_of(n["xml"])]
        assert not [(a, b) for n, a in enumerate(subnets) for b in subnets[n + 1 :] if a.overlaps(b)]
        bridges = Counter(b.get("name") for n in state["networks"].values() for b in ET.fromstring(n["xml"]).findall("bridge"))
        ports = Counter((p[0], p[1]) for p in state["ports"].values())
        for given_ in (macs, names, bridges, ports):
            assert all(n == 1 for n in given_.values()), given_

    def end(self) -> None:
        """Everything can be taken down, and nothing is left."""
        with self.session as session:
            for item in reap.reap(session, everything=True, ask=lambda _: None):
                assert item.done, item
            state = session.host("memory://").snapshot()  # type: ignore[attr-defined]
            assert up.ls(session) == []
        assert (state["domains"], state["networks"], state["ports"], state["pools"]["default"]["volumes"]) == ({}, {}, {}, {})


def play(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        for step in steps:
            history.play(*step)
        history.end()


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=3, max_size=7))
@pytest.mark.thorough
def test_whatever_happens_nothing_is_given_twice_lost_or_left(steps: list[tuple[str, str, int]]) -> None:
    play(steps)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=5, max_size=25))
@pytest.mark.slow
def test_long_histories(steps: list[tuple[str, str, int]]) -> None:
    play(steps)
