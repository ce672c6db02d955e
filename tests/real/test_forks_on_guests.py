"""A running stack is forked with memory, disks and an open connection inside; then it is frozen and reset; then nothing of anybody is left."""

from __future__ import annotations

import base64
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import run
from stackengine import service
from stackengine.cli.main import main
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service import stacks
from stackengine.service.access import servers_of
from stackengine.service.environments import cuts, renew, up
from stackengine.service.types import Settings

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string, default: none}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.80.0.0/24}}
  data: {type: 'SE::Volume', properties: {size: 1}}
  served: {type: 'SE::WaitConditionHandle'}
  web:
    type: SE::Server
    properties:
      image: tiny
      networks: [{network: {get_resource: net}}]
      volumes: [{volume: {get_resource: data}}]
      user_data:
        str_replace:
          params: {$signal: {get_attr: [served, signal]}}
          template: |
            #!/bin/sh
            disk=$(ls /dev/disk/by-id/virtio-se-data 2>/dev/null || echo /dev/vda)
            mke2fs $disk >/dev/null 2>&1; mkdir -p /data /srv; mount $disk /data
            echo main >/srv/index.html
            httpd -p 80 -h /srv
            (while :; do nc -l -p 7000 -e /bin/cat; done) >/dev/null 2>&1 &
            $signal SUCCESS
  ready: {type: 'OS::Heat::WaitCondition', depends_on: web, properties: {handle: {get_resource: served}, timeout: 300}}
  client:
    type: SE::Server
    depends_on: ready
    properties:
      image: tiny
      networks: [{network: {get_resource: net}}]
      ready: {gate: agent, timeout: 300}
      user_data:
        str_replace:
          params: {$web: {get_attr: [web, address]}}
          template: |
            #!/bin/sh
            mkfifo /run/f
            (sleep 1; while :; do nc $web 7000 </run/f >>/run/echo; echo LOST >>/run/echo; sleep 0.5; done) >/dev/null 2>&1 &
            (exec 3>/run/f; i=0; while :; do i=$((i+1)); echo $i >&3; sleep 0.1; done) >/dev/null 2>&1 &
  page: {type: 'SE::PublishedPort', depends_on: ready, properties: {server: {get_resource: web}, target_port: 80}}
outputs:
  url: {value: {get_attr: [page, url]}}
  commit: {value: {get_param: commit}}
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    folder = tmp_path / "state"
    monkeypatch.setenv("STACKENGINE_STATE", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [n for n in os.environ if n.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE_HOST"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield folder
    for name in private.names(folder):
        private.remove(name, folder)
    private.ready.end(folder)


class Guests:
    """The guests of one environment, through their agents."""

    def __init__(self, state: Path, branch: str) -> None:
        with service.open(Settings(state=str(state))) as session:
            found = up.find(session, branch)
            self.name, self.life, self.host_uri = found.row.name, found.life, found.row.host
            self.uuids = {i.path: str(i.identity["uuid"]) for i in servers_of(session, found.row)}
            self.url = str(stacks.outputs(session, self.name)["url"].value)
        self.state = state

    def run(self, server: str, script: str) -> str:
        with service.open(Settings(state=str(self.state))) as session:
            done = renew.run(session.host(self.host_uri), self.uuids[server], script)
        assert done["exitcode"] == 0, (script, done)
        return base64.b64decode(done.get("out-data", "")).decode().strip()

    def page(self) -> str:
        with urllib.request.urlopen(self.url, timeout=20) as page:
            return page.read().decode().strip()

    def echoed(self) -> tuple[int, int]:
        """The last number that came back over the open connection, and how often it broke."""
        last, lost = self.run("client", "tail -n 1 /run/echo; grep -c LOST /run/echo || true").split("\n")
        return int(last), int(lost)


def allow(state: Path, text: str) -> None:
    file = state.parent / "config" / "stackengine" / "owner.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def env(*arguments: str) -> None:
    assert main(["env", *arguments]) == 0


def until(what: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_fork_goes_on_where_its_parent_stood_and_is_its_own(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin = ["--repo", "git.example/shop"]
    start = time.monotonic()
    env("up", "stack.yaml", *origin, "--branch", "main", "--commit", "1")
    cold = time.monotonic() - start
    main_ = Guests(state, "main")
    until(lambda: main_.run("client", "wc -l </run/echo || true") not in ("", "0"))
    main_.run("web", "echo before >/data/file; sync")

    start = time.monotonic()
    env("fork", "main", "--branch", "x")
    forked = time.monotonic() - start
    fork = Guests(state, "x")
    with service.open(Settings(state=str(state))) as session:
        pause = cuts.ls(session)[-1].pause
    with capsys.disabled():
        print(f"\ncold {cold:.1f} s, forked {forked:.1f} s, the parent stood still for {pause:.2f} s")
    assert forked < cold
    assert pause < 8.0  # on a machine that does other things, too; make bench measures it

    went_on(main_, fork)
    its_own(main_, fork)
    assert "before" in run(state, "env", "ssh", "x", "web", "--", "cat /data/file")
    env("up", "stack.yaml", *origin, "--branch", "x", "--commit", "2", "--param", "commit=2")
    assert main_.uuids == Guests(state, "x").uuids
    assert Guests(state, "x").life.commit == "2"

    frozen_and_reset(main_)
    env("reap")
    (ready,) = (state / "hosts").glob(".ready-*")
    allow(state, "quotas: {repository: {environments: 3}}")
    env("fork", "main", "--branch", "y", "--frozen", "--renew", "hostname")
    assert not ready.exists(), "the fork took the host over that was kept ready"
    until(lambda: list((state / "hosts").glob(".ready-*/host.json")))
    assert Guests(state, "y").run("web", "hostname") != main_.run("web", "hostname")
    assert Guests(state, "y").life.room[:1] == (1,)
    capsys.readouterr()
    assert main(["env", "fork", "main", "--branch", "z", "--room-timeout", "0.2s"]) == 1
    assert "found no room" in capsys.readouterr().err
    assert not [n for n in private.names(state) if "-z-" in n]
    env("down", "main", "--repo", "git.example/shop")
    env("reap")
    assert fork.page() == "main"
    assert "before" in fork.run("web", "cat /data/file; echo 3 >/proc/sys/vm/drop_caches; cat /data/file")
    env("reap", "--all")
    assert list(private.names(state)) == []
    assert list((state / "hosts").glob(".ready-*")) == []
    assert list((state / "cuts").iterdir()) == []


def went_on(main_: Guests, fork: Guests) -> None:
    """The connection inside is the same one, in both."""
    for guests in (main_, fork):
        first, lost = guests.echoed()
        assert lost == 0
        until(lambda g=guests, n=first: g.echoed()[0] > n + 5)  # type: ignore[misc]
        assert guests.echoed()[1] == 0


def its_own(main_: Guests, fork: Guests) -> None:
    """Pages, disks, random numbers and time."""
    assert fork.url != main_.url
    fork.run("web", "echo fork >/srv/index.html; echo fork >/data/fork; sync")
    assert (main_.page(), fork.page()) == ("main", "fork")
    assert "fork" not in main_.run("web", "ls /data")
    draw = "head -c 32 /dev/urandom | base64"
    assert main_.run("web", draw) != fork.run("web", draw)
    assert abs(int(fork.run("web", "date +%s")) - time.time()) < 5
    fork.run("web", "echo main >/srv/index.html")


def frozen_and_reset(main_: Guests) -> None:
    """Disk and memory are as they were at the freeze, as often as one wants."""
    env("freeze", "main")
    for _ in range(2):
        main_.run("web", "echo after >/data/file; echo after >/srv/index.html; touch /run/new; sync")
        env("reset", "main", "--repo", "git.example/shop")
        assert main_.page() == "main"
        assert main_.run("web", "cat /data/file; ls /run/new 2>/dev/null || echo none") == "before\nnone"


def test_a_parent_that_cannot_be_frozen_is_left_alone_and_the_branch_starts_cold(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """heat_template_version: 2018-08-31
resources:
  disk: {type: 'SE::Volume', properties: {size: 1, format: raw}}
  web: {type: 'SE::Server', properties: {memory: 64, volumes: [{volume: {get_resource: disk}, boot: true}]}}
outputs:
  url: {value: {get_attr: [web, name]}}
"""
    Path("raw.yaml").write_text(text)
    env("up", "raw.yaml", "--repo", "git.example/shop", "--branch", "main")
    capsys.readouterr()
    env("up", "raw.yaml", "--repo", "git.example/shop", "--branch", "x", "--from", "main")
    assert "a cold start, no fork" in (said := capsys.readouterr().err)
    assert "it is no qcow2 file" in said
    with service.open(Settings(state=str(state))) as session:
        assert {e.life.branch: e.state for e in up.ls(session)} == {"main": "complete", "x": "complete"}
        assert session.host(up.find(session, "main").row.host).domain_list()[0].state == "running"
    env("reap", "--all")
    assert list(private.names(state)) == []
    assert not any((state / "cuts").iterdir())
