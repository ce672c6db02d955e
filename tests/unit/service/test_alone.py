"""Two that make the same host-owned thing at once: one makes it, the other finds it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stackengine.sdk import Cancelled
from stackengine.service.alone import alone


def nothing() -> None:
    return


def test_threads_are_inside_one_after_the_other(tmp_path: Path) -> None:
    inside, seen = [], []

    def work() -> None:
        with alone(tmp_path, "image", nothing, time.sleep):
            inside.append(1)
            seen.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1, 1, 1, 1]


def test_one_that_died_holds_nobody_up(tmp_path: Path) -> None:
    code = "import os, sys, time\nfrom pathlib import Path\nfrom stackengine.service.alone import alone\n"
    code += "with alone(Path(sys.argv[1]), 'image', lambda: None, time.sleep):\n    print('in', flush=True)\n    time.sleep(60)\n"
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    other.kill()
    other.wait()
    with alone(tmp_path, "image", nothing, time.sleep):
        pass


def test_a_cancelled_one_stops_waiting(tmp_path: Path) -> None:
    def cancelled() -> None:
        raise Cancelled("stopped")

    with alone(tmp_path, "image", nothing, time.sleep), pytest.raises(Cancelled), alone(tmp_path, "image", cancelled, time.sleep):
        pass
