"""Finds a host for the demonstration, plays it, and cleans up whatever happens."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.hosts.private.launch import remove_tree
from tools.demonstration import life
from tools.demonstration.looks import Looks, RealLooks, SimulatedLooks
from tools.demonstration.stage import Failed, Stage

HOST = "demo"


def main() -> int:
    """0: everything was seen; 1: the reason is told."""
    parser = argparse.ArgumentParser(prog="tools/demo", description="Plays the whole life of the three-tier stack.")
    parser.add_argument("--simulated", action="store_true", help="on memory://, without guests")
    parser.add_argument("--keep", action="store_true", help="leave the state folder with its logs")
    parser.add_argument("-v", "--verbose", action="store_true", help="show everything that stack-run says")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    with a_state_folder(keep=asked.keep) as state:
        stage = Stage(state, everything=asked.verbose)
        try:
            with a_host(stage, state, simulated=asked.simulated) as looks:
                life.play(stage, looks)
        except Failed as reason:
            print(f"\nFAILED after {time.monotonic() - began:.0f} s: {reason}")
            return 1
        except KeyboardInterrupt:
            print("\ninterrupted")
            return 130
    how = "simulated: no guest ran, so nothing is said about real hosts" if looks.simulated else "on real guests"
    print(f"\nAll steps ok in {time.monotonic() - began:.0f} s ({how}).")
    return 0


@contextlib.contextmanager
def a_state_folder(*, keep: bool) -> Iterator[Path]:
    """A folder for this run alone: no state, key or host of the user is seen or touched."""
    folder = Path(tempfile.mkdtemp(prefix="stackengine-demo-"))
    for name in [n for n in os.environ if n.startswith("STACKENGINE_")]:
        del os.environ[name]
    os.environ["STACKENGINE_STATE"] = str(folder)
    try:
        yield folder
    finally:
        if keep:
            print(f"kept: {folder}")
        else:
            remove_tree(folder)


@contextlib.contextmanager
def a_host(stage: Stage, state: Path, *, simulated: bool) -> Iterator[Looks]:
    """A private host, removed in the end with all that may still be on it; memory:// where none can be had."""
    lacking = [] if simulated else [r for r in requirements.requirements() if r.problem]
    for r in lacking:
        print(f"no private host: {r.problem}\n    mend: {r.mend}")
    if not simulated and not lacking:
        try:
            with stage.step("The tiny image: Debian's cloud kernel and an initramfs, made here from packages"):
                stage.run("images", "build", "tiny")
            with stage.step("A private host: a libvirtd in namespaces of its own"):
                stage.run("hosts", "start", HOST)
                stage.run("hosts", "doctor", f"private://{HOST}")
            looks: Looks = RealLooks(HOST, state)
        except Failed as reason:
            print(f"no private host: {reason}")
            private.remove(HOST, state)
        else:
            try:
                yield looks
            finally:
                looks.close()
                private.remove(HOST, state)  # with all that a failure left on it
            return
    print("Everything from here on is SIMULATED (memory://): the same plans, journal and rules on a strict fake of a hypervisor, but no guest runs.")
    yield SimulatedLooks(HOST, state)


if __name__ == "__main__":
    if not shutil.which("stack-run", path=str(Path(sys.executable).parent)):
        sys.exit("stack-run is not installed beside this Python: tools/setup")
    sys.exit(main())
