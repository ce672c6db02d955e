"""``python -m bench``: measure everything and write bench/RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from datetime import UTC, datetime

from bench.table import RESULTS, document, parts_of, place

PARTS = {
    "guests": "guests", "cli": "commands", "signal": "signals", "engine": "engine", "environments": "environments", "branches": "branches", "load": "load",
    "readers": "readers", "debian": "debian",
}  # fmt: skip
"""Part of the benchmark -> module of this package."""
LONG = ("debian",)
"""Measured only where it is named: the better part of an hour on an emulated machine."""


def main() -> int:
    """Exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure ratios and write bench/RESULTS.md.")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only; the others stay in RESULTS.md as they are (repeatable)")
    parser.add_argument("--quick", action="store_true", help="few repetitions and small sizes; prints them and leaves RESULTS.md alone")
    args = parser.parse_args()
    found, bad = parts_of(RESULTS.read_text("utf-8")) if args.only else {}, False
    for part in args.only or [p for p in PARTS if p not in LONG]:
        start, before = time.monotonic(), os.getloadavg()[0]
        section = importlib.import_module(f"bench.{PARTS[part]}").measure(args.quick)
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        found[section.title] = section.markdown(place(when, (before, os.getloadavg()[0]), quick=args.quick))
        bad |= not all(r.holds for r in section.rows)
        if not args.quick:
            RESULTS.write_text(document(found.values()), "utf-8")
        print(found[section.title], flush=True)
        print(f"{part}: measured in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
