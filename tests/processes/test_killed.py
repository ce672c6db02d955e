"""``kill -9`` of real command lines at every record of the journal, on a memory host. (Inside one process: tests/properties/test_guests.py.)"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processes.forked import Forked
from processes.killing import PHASES, Place, at_every_place, killed_once


def exactly_its_objects(place: Place) -> None:
    """The host holds what the stack says, and nothing else."""
    found = json.loads((place.folder / "state" / "memory" / "default.json").read_text())
    mine = place.objects() if place.there() else {}
    servers = {v for k, v in mine.items() if k in ("db", "web")}
    assert set(found["domains"]) == servers
    assert set(found["networks"]) == {v for k, v in mine.items() if k in ("front", "back")}
    volumes = {v for v in found["pools"]["default"]["volumes"] if not v.endswith((".json", ".iso"))}
    assert volumes == {v for k, v in mine.items() if k == "data"}
    seeds = {v for v in found["pools"]["default"]["volumes"] if v.endswith(".iso")}
    assert len(seeds) == len(servers), "one seed for each server"


@pytest.mark.slow
@pytest.mark.parametrize("phases", PHASES)
def test_it_is_killed_at_every_record(tmp_path: Path, phases: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    forked = Forked(tmp_path / "forked")
    counts = at_every_place(killed_once, Place(tmp_path, "memory://", forked=forked), exactly_its_objects, phases)
    forked.close()
    with capsys.disabled():
        print(f"\nkilled at {counts}")
    assert min(counts.values()) >= 8
