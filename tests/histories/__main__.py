"""Histories from the command line: ``python -m histories FROM [TO] [memory|sqlite]`` (in the folder ``tests``); counts, and every one that went wrong."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

from histories.drive import Counts, History
from histories.oracle import compare
from histories.world import World


def main(arguments: list[str]) -> int:
    store: Any = next((a for a in arguments if a in ("memory", "sqlite")), "memory")
    numbers = [int(a) for a in arguments if a.isdigit()]
    first, last = numbers[0], numbers[1] if len(numbers) > 1 else numbers[0] + 1
    total, bad, start = Counts(), [], time.monotonic()
    for seed in range(first, last):
        world = World(seed, store=store)
        world.checks.append(compare)
        try:
            total.add(History(seed, world).run())
        except Exception:
            bad.append(seed)
            print(f"history {seed}:", file=sys.stderr)
            traceback.print_exc(limit=-4)
        finally:
            world.crew.close()
    print(f"{total}; {len(bad)} went wrong {bad[:20]}; {time.monotonic() - start:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
