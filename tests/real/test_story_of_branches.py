"""The whole story on a real host: a git repository with many branches, each with its own stack of real guests; pushes, failures, deaths and ends of all
kinds; and at the end exactly what should be there, and then nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loopback_ssh import ROOT, Remote, can_serve
from page_of_a_commit import TEMPLATE
from stackengine import service
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.environments import reap
from stackengine.service.types import Settings

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
ROLES = ("gone", "old", "raced", "feature/x", "feature-x", "Feature_X", "l" + "ong" * 66, "umlaut-ä", "b9")
"""Branches beside main, in the order in which they join."""


class Machine:
    """The repository, and the machine that runs its jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self.checkout = folder, folder / "state", folder / "checkout"
        subprocess.run(["git", "init", "-q", "--bare", str(folder / "origin.git")], check=True)
        subprocess.run(["git", "clone", "-q", str(folder / "origin.git"), str(self.checkout)], check=True, stderr=subprocess.DEVNULL)
        (self.checkout / "stack.yaml").write_text(TEMPLATE)
        (self.checkout / "stackengine.yaml").write_text("template: stack.yaml\n")
        self.git("checkout", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@example", "commit", "-q", "-m", "first")
        self.git("push", "-q", "origin", "main")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.checkout), *words], check=True)

    def branch(self, name: str) -> None:
        self.git("push", "-q", "origin", f"main:refs/heads/{name}")

    def environ(self) -> dict[str, str]:
        """The variables of one job."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE"))}
        return plain | {"STACKENGINE_STATE": str(self.state), "PYTHONPATH": str(ROOT)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environ = self.environ()
        command = [sys.executable, "-m", "stackengine.cli.main", "env", *arguments]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd=self.checkout)

    def push(self, branch: str, commit: str, *more: str) -> subprocess.Popen[str]:
        return self.start("up", "--branch", branch, "--commit", commit, "--param", f"commit={commit}", *more)

    def run(self, *arguments: str, code: int = 0) -> str:
        return ended(self.start(*arguments), code)

    def ls(self) -> dict[str, dict[str, Any]]:
        return {e["branch"]: e for e in json.loads(self.run("ls", "--json"))}

    def look(self, later: float) -> None:
        with service.open(Settings(state=str(self.state))) as session:
            for item in reap.reap(session, clock=lambda: time.time() + later):
                assert item.problem == "", item


class Elsewhere(Machine):
    """The same machine, asked over ssh by jobs that have nothing: an empty home folder each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "ssh").mkdir()
        kept = {k: os.environ[k] for k in ("XDG_CACHE_HOME", "XDG_DATA_HOME") if k in os.environ}
        self.remote = Remote(folder / "ssh", self.state, **kept)

    def environ(self) -> dict[str, str]:
        return self.remote.job(self.folder)


def ended(job: subprocess.Popen[str], code: int = 0) -> str:
    out, err = job.communicate(timeout=900)
    assert job.returncode == code, out + err
    return out + ("" if code == 0 else err)


def page(found: dict[str, Any]) -> str:
    with urllib.request.urlopen(found["outputs"]["url"]["value"], timeout=30) as answer:
        return answer.read().decode().strip()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 600
    while not what():
        assert time.monotonic() < end
        time.sleep(0.3)


@pytest.fixture(params=["here", pytest.param("ssh", marks=pytest.mark.skipif(bool(can_serve()), reason=can_serve()))])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path) if request.param == "here" else Elsewhere(tmp_path)
    yield made
    if isinstance(made, Elsewhere):
        made.remote.close()
    for name in private.names(made.state):
        private.remove(name, made.state)
    private.ready.end(made.state)


def test_the_small_form(tmp_path: Path) -> None:
    """Two branches: one whose update fails and that is served as before, one that is deleted; two reapers at once."""
    made = Machine(tmp_path)
    try:
        made.branch("gone")
        for job in [made.push(b, f"first-{b}") for b in ("main", "gone")]:
            ended(job)
        found = made.ls()
        assert {b: page(e) for b, e in found.items()} == {"main": "first-main", "gone": "first-gone"}
        made.run("reap")  # which sees the branches
        failing = made.push("main", "broken")
        made.git("push", "-q", "origin", "--delete", "gone")
        for reaper in [made.start("reap") for _ in range(2)]:
            ended(reaper)
        assert "still serves commit first-main" in ended(failing, 1)
        assert set(made.ls()) == {"main", "gone"}
        made.look(later=1000)
        assert {b: page(e) for b, e in made.ls().items()} == {"main": "first-main"}
        made.run("reap", "--all")
        assert (made.ls(), list(private.names(made.state))) == ({}, [])
    finally:
        for name in private.names(made.state):
            private.remove(name, made.state)
        private.ready.end(made.state)


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, len(ROLES)])
def test_branches_come_and_go_and_each_shows_its_own_page(machine: Machine, count: int) -> None:
    branches = ["main", *ROLES[:count]]
    for branch in branches[1:]:
        machine.branch(branch)
    for job in [machine.push(b, f"first-{n}", *(["--ttl", "1s"] if b == "old" else [])) for n, b in enumerate(branches)]:
        ended(job)
    found = machine.ls()
    assert {b: page(found[b]) for b in branches} == {b: f"first-{n}" for n, b in enumerate(branches)}
    assert len({e["name"] for e in found.values()}) == len(branches)

    again = [b for b in branches if b not in ("main", "gone", "old", "raced")]
    jobs = [machine.push(b, "second") for b in again]
    failing = machine.push("main", "broken", "--ttl", "1s")  # so that it is the pin that keeps it
    earlier = machine.push("raced", "earlier")
    until(lambda: machine.ls()["raced"]["state"] == "running")
    ended(machine.push("raced", "later"))
    earlier.communicate(timeout=600)
    for job in jobs:
        ended(job)
    assert "still serves commit first-0" in ended(failing, 1)
    found = machine.ls()
    assert (page(found["main"]), found["main"]["commit"], found["main"]["pushed"]) == ("first-0", "first-0", "broken")
    assert (page(found["raced"]), found["raced"]["commit"]) == ("later", "later")
    assert {page(found[b]) for b in again} <= {"second"}

    stands_still_dies_and_ends(machine)
    assert set(machine.ls()) == {b for b in branches if b not in ("gone", "old")}
    assert page(machine.ls()["main"]) == "first-0"
    urls = [e["outputs"]["url"]["value"] for e in (*found.values(), *machine.ls().values())]
    machine.run("reap", "--all")
    assert machine.ls() == {}
    nothing_is_left(machine, urls)


def nothing_is_left(machine: Machine, urls: list[str]) -> None:
    """No host, so no domain, volume or network in one; no folder, no process and no port that answers."""
    assert list(private.names(machine.state)) == []
    assert {p.name for p in (machine.state / "hosts").iterdir()} <= {".locks", ".cache", ".ready.log"}
    until(lambda: not [c for c in commands() if str(machine.state) in c])
    for url in urls:
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=30)


def commands() -> list[str]:
    """The command lines of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def stands_still_dies_and_ends(machine: Machine) -> None:
    """Parked and woken, pinned, killed, expired, deleted; two reapers at once."""
    machine.run("park", "main")
    machine.run("wake", "main")
    machine.run("pin", "main")
    begun = machine.folder / "begun"
    script = f"echo $$ >{begun}.part; mv {begun}.part {begun}; exec sleep 600"
    job = machine.start("run", "--commit", "k", "--param", "commit=k", "--", "sh", "-c", script)
    until(begun.exists)
    job.kill()
    job.wait(30)
    with contextlib.suppress(ProcessLookupError):  # over ssh it is ended as nobody waits for it any more
        os.kill(int(begun.read_text()), signal.SIGKILL)
    machine.run("reap")  # which sees the branches
    machine.git("push", "-q", "origin", "--delete", "gone")
    for reaper in [machine.start("reap") for _ in range(2)]:
        reaper.communicate(timeout=600)
    assert "old" not in machine.ls()
    assert "gone" in machine.ls()  # a second look decides
    machine.look(later=1000)
