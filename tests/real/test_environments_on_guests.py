"""Two branches at once, each in a private host of its own, with the same addresses inside; then nothing is left of either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.environments.collect import collect
from stackengine.service.templates import gallery
from stackengine.service.types import Settings

pytest.importorskip("libvirt")
SHOP = ("--repo", "git.example/shop")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]


def start(state: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS"))}
    command = [sys.executable, "-m", "stackengine.cli.main", "env", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, "STACKENGINE_STATE": str(state)})


def ended(job: subprocess.Popen[str], code: int = 0) -> str:
    out, err = job.communicate(timeout=600)
    assert job.returncode == code, out + err
    return out


def collected(state: Path, name: str, folder: Path) -> None:
    """Consoles, and files out of the guests; one that is not there leaves a note."""
    with service.open(Settings(state=str(state))) as session:
        files = collect(session, name, folder, ["/etc/os-release", "/no/such/file"])
    servers = [f.removeprefix("console-").removesuffix(".log") for f in files if f.startswith("console-")]
    assert servers
    for server in servers:
        assert "stackengine tiny" in (folder / server / "etc" / "os-release").read_text()
        assert "cannot be had" in (folder / server / "no" / "such" / "file").read_text()


def parked_and_woken(state: Path, main: dict[str, Any]) -> None:
    """Its guests take no memory while it is parked, and go on where they stood."""
    ended(start(state, "park", "main", *SHOP))
    assert json.loads(ended(start(state, "show", "main", "--json", *SHOP)))["state"] == "parked"
    host = private.find(main["host"].removeprefix("private://"), state)
    with libvirt_of(host.libvirt_uri) as connection:
        assert connection.listDomainsID() == []
    ended(start(state, "wake", "main", *SHOP))
    with urllib.request.urlopen(main["outputs"]["url"]["value"], timeout=20) as page:
        assert page.read().decode().strip() == "main"


@contextmanager
def libvirt_of(uri: str) -> Iterator[Any]:
    import libvirt

    connection = libvirt.open(uri)
    yield connection
    connection.close()


def test_every_branch_shows_its_own_page_and_nothing_of_it_stays(state: Path) -> None:
    template = str(gallery()["hello"] / "hot" / "stack.yaml")
    branches = ("main", "feature/x")
    jobs = [start(state, "up", template, *SHOP, "--branch", b, "--commit", b, "--param", f"greeting={b}") for b in branches]
    for job in jobs:
        ended(job)
    found = {e["branch"]: e for e in json.loads(ended(start(state, "ls", "--json")))}
    assert {e["host"] for e in found.values()} == {f"private://{e['name']}" for e in found.values()}
    for branch in branches:
        with urllib.request.urlopen(found[branch]["outputs"]["url"]["value"], timeout=20) as page:
            assert page.read().decode().strip() == branch
    collected(state, found["main"]["name"], state / "kept")
    parked_and_woken(state, found["main"])
    ended(start(state, "reap", "--all"))
    assert json.loads(ended(start(state, "ls", "--json"))) == []
    assert list(private.names(state)) == []
