"""``python -m bench``: measure everything and write bench/RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from datetime import UTC, datetime

from bench.table import RESULTS, Section, document

PARTS = {"guests": "guests", "cli": "commands", "signal": "signals", "engine": "engine", "environments": "environments", "branches": "branches", "load": "load"}
"""Part of the benchmark -> module of this package."""


def main() -> int:
    """Exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure ratios and write bench/RESULTS.md.")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only, print it, and leave RESULTS.md alone (repeatable)")
    parser.add_argument("--quick", action="store_true", help="few repetitions and small sizes; leaves RESULTS.md alone")
    args = parser.parse_args()
    before, sections = os.getloadavg()[0], list[Section]()
    for part in args.only or PARTS:
        start = time.monotonic()
        sections.append(importlib.import_module(f"bench.{PARTS[part]}").measure(args.quick))
        sections.sort(key=lambda s: s.title)
        print(f"{part}: measured in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = document(sections, when=when, quick=args.quick, load=(before, os.getloadavg()[0]))
    if not args.only and not args.quick:
        RESULTS.write_text(text, "utf-8")
    print(text)
    return 0 if all(r.holds for s in sections for r in s.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
