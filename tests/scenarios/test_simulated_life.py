"""The whole life of the three-tier stack on memory://, by the command line as a person would use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stackengine.cli.main import main
from stackengine.hosts import open_host
from stackengine.service.templates import gallery

THREE_TIER, AUTOFAIL = (str(gallery()[name] / "hot" / "stack.yaml") for name in ("three-tier", "autofail"))
HOST = "memory://life"


@dataclass
class Life:
    """One state folder, its simulated host, and the command line on both."""

    state: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        assert main([*words, "--state", str(self.state)]) == code
        said = self.capsys.readouterr()
        return said.out, said.err

    def up(self, template: str, *words: str, code: int = 0) -> tuple[str, str]:
        return self.run("up", template, "--name", "life", "--host", HOST, "--yes", "--allow", "replace", *words, code=code)

    def servers(self) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """UUID and addresses of every domain, as the host tells them."""
        host = open_host(HOST, self.state)
        return {d.name: (d.uuid, host.domain_addresses(d.uuid)) for d in host.domain_list() if d.state == "running"}

    def left(self) -> list[str]:
        host: Any = open_host(HOST, self.state)
        return sorted(o.name for o in (*host.domain_list(), *host.network_list(), *host.volume_list("default")))

    def stack(self) -> dict[str, Any]:
        return json.loads(self.run("show", "life", "--json")[0])


@pytest.fixture
def life(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Life:
    return Life(tmp_path, capsys)


def test_create_says_that_it_is_simulated_and_down_leaves_nothing(life: Life) -> None:
    _, said = life.up(THREE_TIER)
    assert said.startswith("simulated: memory://life runs no real guests\n")
    assert "life: create complete" in said
    assert len(life.servers()) == 4
    life.run("down", "life", "--yes")
    assert life.left() == []
    assert json.loads(life.run("ls", "--json")[0])["stacks"] == []


def test_an_update_is_live_and_one_that_fails_is_rolled_back_to_the_same_objects(life: Life) -> None:
    life.up(THREE_TIER)
    before, made = life.servers(), life.left()
    _, said = life.up(THREE_TIER, "--param", "data_size=2")
    assert "size  1 -> 2  # live" in said
    assert (life.servers(), life.left()) == (before, made)

    _, said = life.up(AUTOFAIL, "--param", "data_size=2", code=1)
    assert "a signal said FAILURE" in said
    assert "was rolled back" in said
    assert (life.servers(), life.left()) == (before, made)
    assert life.stack()["revision"] == 2


@pytest.mark.thorough
def test_an_operation_that_was_killed_is_resumed(life: Life) -> None:
    life.up(THREE_TIER)
    before = life.servers()
    command = [sys.executable, "-m", "stackengine.cli.main", "up", THREE_TIER, "--name", "life", "--param", "release=2", "--yes", "--allow", "replace"]
    environment = {**os.environ, "STACKENGINE_STATE": str(life.state)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "web1: replaced in" in line or "web2: replaced in" in line:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    assert [s["state"] for s in json.loads(life.run("ls", "--json")[0])["stacks"]] == ["interrupted"]
    assert set(before) < set(life.servers()), "old and new ones"

    life.run("resume", "life")
    after = life.servers()
    assert {n for n in before if n in after} == {n for n in before if "-db-" in n}
    assert len(after) == 4
    life.run("down", "life", "--yes")
    assert life.left() == []
