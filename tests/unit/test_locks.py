"""Two that make the same host-owned thing at once: one makes it, the other finds it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stackengine import locks
from stackengine.sdk import Cancelled


def test_threads_are_inside_one_after_the_other(tmp_path: Path) -> None:
    inside, seen = [], []

    def work() -> None:
        with locks.alone(locks.named(tmp_path, "image")):
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
    code = "import os, sys, time\nfrom pathlib import Path\nfrom stackengine import locks\n"
    code += "with locks.alone(locks.named(Path(sys.argv[1]), 'image')):\n    print('in', flush=True)\n    time.sleep(60)\n"
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    other.kill()
    other.wait()
    with locks.alone(locks.named(tmp_path, "image")):
        pass


def test_a_cancelled_one_stops_waiting(tmp_path: Path) -> None:
    def cancelled() -> None:
        raise Cancelled("stopped")

    with locks.alone(locks.named(tmp_path, "image")), pytest.raises(Cancelled), locks.alone(locks.named(tmp_path, "image"), cancelled):
        pass


def test_one_that_may_be_called_off_waits_as_the_others_do(tmp_path: Path) -> None:
    asked: list[float] = []
    held = locks.take(tmp_path / "a.lock")
    assert held is not None

    def check() -> None:
        if len(asked) == 3:
            os.close(held)

    with locks.alone(tmp_path / "a.lock", check, asked.append):
        assert asked == [locks.LOOK_EVERY] * 3


def test_one_that_does_not_wait_is_told(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.lock"
    held = locks.take(file)
    assert held is not None
    assert locks.take(file) is None
    os.close(held)
    with locks.alone(file):
        assert locks.take(file) is None
    again = locks.take(file)
    assert again is not None
    os.close(again)


def test_a_name_is_any_text(tmp_path: Path) -> None:
    with locks.alone(locks.named(tmp_path, "a/b")), locks.alone(locks.named(tmp_path, "../" * 100)):
        assert len(list(tmp_path.iterdir())) == 2
