"""Removing a private host beside somebody who starts it: who comes while it goes finds it whole or gone, never half."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from stackengine.hosts import private
from stackengine.hosts.private.paths import Paths, paths_of
from stackengine.hosts.runtime import locked, make_runtime_folder
from stackengine.sdk import HostError

ROUNDS = 40


def waiting(lock: Path) -> int:
    """How many wait for a lock (proc_locks(5): ``->`` is one that is blocked)."""
    inode = f":{lock.stat().st_ino} "
    return sum("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


def beside(paths: Paths, state_dir: Path) -> tuple[bool, bool]:
    """One removes the host while another, who would start it, comes for the lock: what that one finds, (settings, sockets)."""
    found: list[tuple[bool, bool]] = []

    def start() -> None:
        with locked(paths.folder):
            found.append((paths.settings.exists(), paths.runtime.exists()))

    removing, starting = threading.Thread(target=private.remove, args=(paths.name, state_dir)), threading.Thread(target=start)
    with locked(paths.folder):
        for count, thread in enumerate((removing, starting), 1):
            thread.start()
            end = time.monotonic() + 20
            while waiting(paths.folder.parent / ".locks" / paths.folder.name) < count:
                assert time.monotonic() < end
                time.sleep(0.001)
    for thread in (removing, starting):
        thread.join(20)
    assert not paths.folder.exists()
    return found[0]


def test_who_comes_while_a_host_is_removed_finds_it_whole_or_gone(tmp_path: Path) -> None:
    seen = set()
    for number in range(ROUNDS):
        paths = paths_of(f"h{number}", tmp_path)
        paths.folder.mkdir(parents=True)
        paths.settings.write_text("{}")
        make_runtime_folder(paths.runtime)
        seen.add(beside(paths, tmp_path))
    assert seen <= {(True, True), (False, False)}


def test_a_host_that_is_not_there_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="there is no private host none"):
        private.remove("none", tmp_path)
    with pytest.raises(HostError, match="there is no private host none"):
        private.stop("none", tmp_path)
