"""Random histories of cuts: taken, half-taken by a crash, forked, kept, swept; nothing that anybody stands on is ever deleted, and nothing else stays."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackengine import service
from stackengine.service.environments import cuts, up
from stackengine.service.environments.life import TAG, life_of
from stackengine.service.environments.origin import Origin
from stackengine.service.session import Session
from stackengine.service.types import Settings

WHICH = st.integers(0, 7)
STEP = st.one_of(
    st.tuples(st.sampled_from(["cut", "freeze", "disk", "crash"]), WHICH),
    st.tuples(st.sampled_from(["up", "fork", "down", "sweep"]), WHICH),
)


class History:
    """Environments that are records only, and cuts that are folders only."""

    def __init__(self, session: Session) -> None:
        self.session, self.count = session, 0

    def living(self) -> list[up.Environment]:
        return up.ls(self.session)

    def record(self, held: tuple[str, ...]) -> None:
        self.count += 1
        wanted = up.Wanted(Origin("git.example/shop", f"b{self.count}"))
        row = self.session.store.fresh(wanted.name, "private://x", "hot")
        row.tags[TAG] = replace(up.fresh_life(wanted, "private://x"), cuts=held).to_tags()
        self.session.store.record(row)

    def take(self, found: up.Environment, verb: str) -> None:
        """As ``cuts.take`` does it: the environment holds the cut before it is whole."""
        id_, folder = cuts.fresh_id(), cuts.root(self.session)
        cuts.make_folder(folder / id_)
        below = found.life.cuts
        up.change(self.session, found.row, lambda life: replace(life, cuts=(*life.cuts, id_)))
        if verb != "crash":
            old = cuts.DISK_SECONDS * (self.count % 3)
            data = {"name": found.row.name, "stack": found.row.id, "kept": verb == "freeze", "made_at": time.time() - old, "pause": 0.0}
            cuts.write(folder / id_ / cuts.STATE, {**data, "stands_on": list(below), **({"disks": []} if verb == "disk" else {})})

    def play(self, verb: str, which: int) -> None:
        everyone, whole = self.living(), cuts.ls(self.session)
        if verb == "up":
            self.record(())
        elif verb == "fork" and whole:
            cut = whole[which % len(whole)]
            self.record((cut.id, *cut.data["stands_on"]))
        elif verb == "down" and everyone:
            self.session.store.drop_unused(everyone[which % len(everyone)].row.id)
        elif verb == "sweep":
            cuts.sweep(self.session)
            self.check(swept=True)
        elif everyone:
            self.take(everyone[which % len(everyone)], verb)
        self.check(swept=False)

    def check(self, *, swept: bool) -> None:
        root = cuts.root(self.session)
        there = {p.name for p in root.iterdir()} if root.is_dir() else set()
        whole = {c.id: c for c in [*cuts.ls(self.session), *cuts.disks(self.session)]}
        needed = {c for e in self.living() if (life := life_of(e.row.tags)) is not None for c in life.cuts}
        needed |= {c for cut in whole.values() for c in cut.data["stands_on"]}
        assert needed <= there
        if swept:
            now = time.time()
            kept = {c.id for c in whole.values() if c.data["kept"] or ("disks" in c.data and now - c.data["made_at"] < cuts.DISK_SECONDS)}
            assert there == needed | kept

    def end(self) -> None:
        for found in self.living():
            self.session.store.drop_unused(found.row.id)
        cuts.sweep(self.session, everything=True)
        root = cuts.root(self.session)
        assert not root.is_dir() or not list(root.iterdir())


def play(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, service.open(Settings(str(Path(folder) / "state"), "memory://")) as session:
        history = History(session)
        for verb, which in [("up", 0), *steps]:
            history.play(verb, which)
        history.end()


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(STEP, min_size=4, max_size=14))
@pytest.mark.thorough
def test_no_layer_that_anybody_stands_on_is_deleted(steps: list[tuple[str, int]]) -> None:
    play(steps)


@settings(max_examples=400, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(STEP, min_size=8, max_size=40))
@pytest.mark.slow
def test_long_histories_of_cuts(steps: list[tuple[str, int]]) -> None:
    play(steps)
