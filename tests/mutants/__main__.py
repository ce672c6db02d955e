"""Runs the mutants: each on a copy of the package, two at a time. Fails when one lives, when a harmless one dies, or when a place is not found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutants.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
LIMIT = 900
"""Seconds for the tests of one mutant; one that makes them run for ever is found, too."""
AT_ONCE = 2


def copy_of(folder: Path) -> Path:
    """A checkout to break."""
    for name in ("stackengine", "resource_types", "templates", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "golden", "real"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(fault: Fault, folder: Path) -> str:
    """Put the fault in; what is wrong with it, or nothing."""
    file = folder / "stackengine" / fault.file
    text = file.read_text()
    found = text.count(fault.old)
    if found != 1:
        return f"its place is there {found} times in {fault.file}"
    file.write_text(text.replace(fault.old, fault.new))
    return ""


def lives(folder: Path, tests: tuple[str, ...]) -> bool:
    """Whether all tests pass all the same."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{folder / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"}
    for test in tests:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not real", test]
        try:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode == 1:
            return False
        if done.returncode != 0:
            raise RuntimeError(f"{test} could not be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return True


def tried(fault: Fault) -> tuple[str, str]:
    """(verdict, words): ``dead``, ``alive``, ``harmless`` or ``broken``."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = copy_of(Path(name))
        wrong = broken(fault, folder)
        if wrong:
            return "broken", wrong
        start = time.monotonic()
        alive = lives(folder, fault.found_by)
        took = f"{time.monotonic() - start:.0f} s"
    if alive:
        return ("harmless", fault.harmless) if fault.harmless else ("alive", took)
    return ("broken", f"it was thought harmless, and was found after {took}") if fault.harmless else ("dead", took)


def main(wanted: list[str]) -> int:
    """All of them, or those whose names hold one of the words."""
    faults = [f for f in FAULTS if not wanted or any(w in f.name for w in wanted)]
    counts: dict[str, int] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for fault, (verdict, words) in zip(faults, pool.map(tried, faults), strict=True):
            counts[verdict] = counts.get(verdict, 0) + 1
            print(f"{verdict:9} {fault.name} ({words})", flush=True)
    print(f"{len(faults)} mutants: " + ", ".join(f"{n} {v}" for v, n in sorted(counts.items())))
    return 1 if counts.get("alive", 0) + counts.get("broken", 0) or not faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
