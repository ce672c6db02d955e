"""An image that moves on at its address, on a real libvirtd: pinned by stack.lock, upgraded when asked, held, and swept when nobody stands on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import web_server as webs
from command_line import run
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

OLD, NEW = b"old.".ljust(1 << 20, b"."), b"new.".ljust(1 << 20, b".")
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  disk: {type: SE::Image, properties: {source: 'URL'}}
  volume: {type: SE::Volume, properties: {size: 1, image: {get_resource: disk}}}
"""


@pytest.fixture
def web() -> Iterator[webs.Web]:
    with webs.serve() as found:
        found.files["/disk.raw"] = OLD
        yield found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pinned(template: Path) -> str:
    return (template.parent / "stack.lock").read_text().rpartition("sha256:")[2].strip()


def image_of(state: Path, stack: str) -> str:
    found = json.loads(run(state, "show", stack, "--json"))["resources"]
    return next(str(r["attributes"]["sha256"]) for r in found if r["path"] == "disk")


def test_an_image_that_moves_on_replaces_nothing_until_it_is_asked_for(state: Path, web: webs.Web, tmp_path: Path) -> None:
    template, host = tmp_path / "stack.yaml", ("--host", "private://images", "--yes")
    template.write_text(TEMPLATE.replace("URL", f"{web.base}/disk.raw"))
    run(state, "up", str(template), "--name", "one", *host)
    assert (pinned(template), image_of(state, "one")) == (digest(OLD), digest(OLD))
    web.files["/disk.raw"] = NEW
    assert run(state, "plan", str(template), "--name", "one", "--exit-code")
    run(state, "images", "pull", f"{web.base}/disk.raw")  # newer content comes beside what is pinned
    run(state, "up", str(template), "--name", "two", *host)
    assert image_of(state, "two") == digest(OLD)
    assert "one, two" in run(state, "images", "ls")
    run(state, "up", str(template), "--name", "one", *host, "--upgrade-images", "--allow", "replace,delete")
    assert (pinned(template), image_of(state, "one"), image_of(state, "two")) == (digest(NEW), digest(NEW), digest(OLD))
    assert run(state, "plan", str(template), "--name", "one", "--exit-code")
    assert json.loads(run(state, "images", "prune", "--json"))["things"] == []
    run(state, "down", "two", "--yes")
    freed = json.loads(run(state, "images", "prune", "--json"))
    assert freed["things"] == [f"{digest(OLD)[:32]}.raw"]
    assert freed["bytes"] == 2 * len(OLD)  # where it was fetched to, and on the host
    assert sorted(f.name for f in (state / "layers").iterdir()) == [f"{digest(NEW)[:32]}.raw", f"{digest(NEW)[:32]}.raw.json"]
    run(state, "up", str(template), "--name", "two", *host)
    assert image_of(state, "two") == digest(NEW)
    run(state, "images", "rm", f"{web.base}/disk.raw", code=1)
