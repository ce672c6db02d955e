"""Locks that tell of life, and files that are whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stackengine.hosts import processes, runtime
from stackengine.sdk import HostError

HOLD = """
import os, sys
from pathlib import Path
from stackengine.hosts import processes
with processes.holding(Path(sys.argv[1])) as lock:
    os.write(lock, str(os.getpid()).encode())
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that holds tmp_path/lock until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_tells_that_its_holder_lives_and_who_it_is(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    lock = tmp_path / "lock"
    assert processes.lives(lock)
    assert processes.holder(lock) == holder.pid
    with processes.holding(lock) as mine:
        assert mine is None, "it is held once"
    assert not processes.wait_until_free(lock, 0.05)
    processes.end(holder.pid)
    holder.communicate()
    assert not processes.lives(lock)
    assert processes.holder(lock) is None
    assert processes.wait_until_free(lock, 0.05)


def test_a_lock_that_nobody_ever_held_is_free(tmp_path: Path) -> None:
    assert not processes.lives(tmp_path / "none")
    assert processes.wait_until_free(tmp_path / "none", 0.0)


def test_a_lock_lives_on_in_a_program_that_inherited_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with processes.holding(lock) as descriptor:
        assert descriptor is not None
        heir = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    assert processes.lives(lock)
    heir.communicate()
    assert not processes.lives(lock)


def test_ending_what_is_gone_is_no_error() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    processes.end(process.pid)
    assert processes.parent(process.pid) is None


def test_a_process_of_ours_gets_no_secrets_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HOME", "/home/me")
    environment = processes.environment()
    assert environment["HOME"] == "/home/me"
    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_runtime_folders_are_short_enough_for_sockets_however_deep_the_state_is(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200) / ("y" * 50)
    folder = runtime.runtime_folder(deep)
    assert len(str(folder / "run" / "libvirt" / "virtqemud-sock-ro")) < 108
    assert folder == runtime.runtime_folder(deep)
    assert folder != runtime.runtime_folder(tmp_path)


def test_a_runtime_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    runtime.make_runtime_folder(tmp_path / "ours" / "one")
    assert (tmp_path / "ours" / "one").stat().st_mode & 0o777 == 0o700
    (tmp_path / "ours" / "one").chmod(0o777)
    with pytest.raises(HostError, match="others may write"):
        runtime.make_runtime_folder(tmp_path / "ours" / "one")
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    with pytest.raises(HostError, match="somebody else"):
        runtime.make_runtime_folder(tmp_path / "link")
