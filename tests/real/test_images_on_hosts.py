"""Volumes on a real libvirtd: an image that moves on at its address (pinned by stack.lock, upgraded when asked, held, swept), and whose a volume is."""

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
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[webs.Web]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    owner = tmp_path / "config" / "stackengine" / "owner.yaml"
    owner.parent.mkdir(parents=True)
    with webs.serve() as found:
        owner.write_text(json.dumps({"allow": {"urls": [found.base]}}))
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


def test_a_volume_of_another_stack_is_neither_used_nor_wiped(state: Path, tmp_path: Path) -> None:
    host = ("--host", "private://owners", "--yes")
    head = "heat_template_version: 2018-08-31\nresources:\n  data: {type: SE::Volume, properties: {%s}}\n"
    (tmp_path / "theirs.yaml").write_text(head % "size: 1, format: raw")
    run(state, "up", str(tmp_path / "theirs.yaml"), "--name", "theirs", *host)
    volume = next(r for r in json.loads(run(state, "show", "theirs", "--json"))["resources"] if r["path"] == "data")
    disk = Path(volume["attributes"]["path"])
    with disk.open("r+b") as file:
        file.write(b"data of theirs")
    (tmp_path / "mine.yaml").write_text(head % f"existing: {volume['physical_id']}, wipe: true")
    said = run(state, "up", str(tmp_path / "mine.yaml"), "--name", "mine", *host, code=1)
    assert f"the volume {volume['physical_id']} in pool default belongs to the stack theirs (data)" in said
    run(state, "down", "mine", "--yes")
    assert disk.read_bytes()[:14] == b"data of theirs"
