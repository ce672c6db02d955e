"""Random histories: real planner, walk, executor, journal, store and use cases on a strict host, with everything going wrong; checked at every step."""

from __future__ import annotations

from typing import Literal

import pytest

from histories.drive import Counts, History
from histories.oracle import compare
from histories.world import World

FEW, FEW_ON_SQLITE = 300, 12
MANY, MANY_ON_SQLITE = 19_000, 1_000
BLOCKS = 20
"""The many run in blocks, so that several processes can share them (``pytest -n 2``)."""


def run(seeds: range, store: Literal["memory", "sqlite"]) -> Counts:
    total = Counts()
    for seed in seeds:
        world = World(seed, store=store)
        world.checks.append(compare)
        try:
            total.add(History(seed, world).run())
        except Exception as error:
            error.add_note(f"history {seed} on the {store} store: python -m histories {seed} {store}")
            raise
        finally:
            world.crew.close()
    return total


@pytest.mark.thorough
def test_a_few_hundred_histories() -> None:
    counts = run(range(FEW), "memory")
    print(f"\n{counts}")
    assert counts.crashes > FEW / 2
    assert counts.rollbacks > FEW / 10
    assert counts.same > 5
    assert counts.early > FEW / 10


@pytest.mark.thorough
def test_a_few_on_the_real_store() -> None:
    counts = run(range(100_000, 100_000 + FEW_ON_SQLITE), "sqlite")
    assert counts.crashes > 2
    assert counts.resumed > 2


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_many_histories(block: int, capsys: pytest.CaptureFixture[str]) -> None:
    size, on_sqlite = MANY // BLOCKS, MANY_ON_SQLITE // BLOCKS
    counts = run(range(1_000 + block * size, 1_000 + (block + 1) * size), "memory")
    counts.add(run(range(200_000 + block * on_sqlite, 200_000 + (block + 1) * on_sqlite), "sqlite"))
    with capsys.disabled():
        print(f"\nblock {block}: {counts}")
    assert counts.histories == size + on_sqlite
