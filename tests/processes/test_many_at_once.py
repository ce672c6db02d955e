"""Several command lines at once: two on one stack never interleave, ten stacks with one template never collide, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.thorough

TEMPLATE = """
heat_template_version: 2018-08-31
parameters:
  memory: {type: number, default: 128}
resources:
  net: {type: OS::Neutron::Net}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}}}
  port: {type: SE::Port, properties: {subnet: {get_resource: subnet}}}
  disk: {type: OS::Cinder::Volume, properties: {size: 1}}
  web:
    type: SE::Server
    properties: {image: tiny, memory: {get_param: memory}, networks: [{port: {get_resource: port}}], volumes: [{volume: {get_resource: disk}}]}
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    return tmp_path


def start(state: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "STACKENGINE_STATE": str(state / "state"), "XDG_CACHE_HOME": str(state / "cache"), "STACKENGINE_HOST": "memory://"}
    command = [sys.executable, "-m", "stackengine.cli.main", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    assert "internal error" not in err, err
    return process.returncode, out + err


def run(state: Path, *arguments: str, code: int = 0) -> str:
    found, text = ended(start(state, *arguments))
    assert found == code, text
    return text


def up(state: Path, name: str, *more: str) -> subprocess.Popen[str]:
    return start(state, "up", str(state / "stack.yaml"), "--name", name, "--yes", *more)


def host(state: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((state / "state" / "memory" / "default.json").read_text())
    return found


def nothing_is_left(state: Path) -> None:
    found = host(state)
    assert found["domains"] == {}
    assert found["networks"] == {}
    assert found["pools"]["default"]["volumes"] == {}


def operations(state: Path, name: str) -> list[tuple[str, str]]:
    """(operation, kind) of every event."""
    lines = run(state, "events", name, "--json").splitlines()
    return [(e.get("operation", ""), e.get("kind", "")) for e in map(json.loads, lines)]


def test_two_command_lines_make_one_stack(state: Path) -> None:
    both = [ended(p) for p in [up(state, "one"), up(state, "one")]]
    codes = sorted(code for code, _ in both)
    assert codes in ([0, 0], [0, 1]), both
    if codes == [0, 1]:
        assert any("runs on the stack" in text or "made by another process" in text for _, text in both), both
    assert len(host(state)["domains"]) == 1
    run(state, "down", "one", "--yes")
    nothing_is_left(state)


def test_two_updates_of_one_stack_do_not_interleave(state: Path) -> None:
    run(state, "up", str(state / "stack.yaml"), "--name", "one", "--yes")
    for turn in range(2):
        both = [ended(p) for p in [up(state, "one", "--param", f"memory={160 + turn}"), up(state, "one", "--param", f"memory={200 + turn}")]]
        assert min(code for code, _ in both) == 0, both
        assert all(code == 0 or "runs on the stack" in text for code, text in both), both
    seen: list[str] = []
    for operation, _ in operations(state, "one"):
        if not seen or seen[-1] != operation:
            assert operation not in seen, "two operations interleave"
            seen.append(operation)
    assert len(host(state)["domains"]) == 1
    down = [ended(p) for p in [start(state, "down", "one", "--yes"), start(state, "down", "one", "--yes")]]
    assert 0 in [code for code, _ in down], down
    assert all(code == 0 or "runs on the stack" in text or "there is no stack" in text or "deleted meanwhile" in text for code, text in down), down
    nothing_is_left(state)


@pytest.mark.slow
def test_ten_stacks_of_one_template_at_once(state: Path) -> None:
    names = [f"s{n}" for n in range(10)]
    made = [ended(p) for p in [up(state, name) for name in names]]
    assert [code for code, _ in made] == [0] * 10, made
    found = host(state)
    assert len(found["domains"]) == len(found["networks"]) == 10
    assert len({n["bridge"] for n in found["networks"].values()}) == 10
    shown = [json.loads(run(state, "show", name, "--json")) for name in names]
    ports = [r["attributes"] for s in shown for r in s["resources"] if r["path"] == "port"]
    assert len({p["mac"] for p in ports}) == 10
    gone = [ended(p) for p in [start(state, "down", name, "--yes") for name in names]]
    assert [code for code, _ in gone] == [0] * 10, gone
    nothing_is_left(state)
