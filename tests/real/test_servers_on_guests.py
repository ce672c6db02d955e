"""A server's life on a real guest: what changes as it runs, what restarts it, and power as desired state."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts.private import requirements

lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  vcpus: {type: number, default: 1}
  memory: {type: number, default: 192}
  watchdog: {type: string, default: reset}
resources:
  web:
    type: SE::Server
    properties:
      image: tiny
      vcpus: {get_param: vcpus}
      max_vcpus: 2
      memory: {get_param: memory}
      max_memory: 256
      watchdog: {get_param: watchdog}
      vnc: {password: secret12}
      libvirt_overlay: "<domain><clock offset='utc'/></domain>"
      ready: {gate: cloud-init}
"""


def up(state: Path, *parameters: str) -> None:
    (state / "stack.yaml").write_text(TEMPLATE)
    words = [w for p in parameters for w in ("--param", p)]
    run(state, "up", str(state / "stack.yaml"), "--name", "life", "--host", "private://servers", "--yes", *words)


def inside(state: Path, *command: str) -> str:
    return run(state, "exec", "life", "web", "--", *command)


def uptime(state: Path) -> float:
    return float(inside(state, "cat", "/proc/uptime").split()[0])


def test_changes_as_it_runs_and_power_as_desired_state(state: Path, tmp_path: Path) -> None:
    up(state)
    since = uptime(state)
    assert "processors: 1" in inside(state, "sh", "-c", "echo processors: $(ls -d /sys/devices/system/cpu/cpu[0-9] | wc -l)")
    up(state, "vcpus=2", "memory=160")  # plugged, and the balloon: no restart
    assert "processors: 2" in inside(state, "sh", "-c", "echo processors: $(ls -d /sys/devices/system/cpu/cpu[0-9] | wc -l)")
    assert uptime(state) > since

    (tmp_path / "page").write_bytes(bytes(range(256)) * 3000)
    run(state, "cp", "life", str(tmp_path / "page"), "web:/tmp/")
    run(state, "cp", "life", "web:/tmp/page", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "page").read_bytes()
    run(state, "exec", "life", "web", "--", "chmod", "604", "/tmp/page")
    (tmp_path / "page").write_bytes(b"newer")
    run(state, "cp", "life", str(tmp_path / "page"), "web:/tmp/page")
    look = run(state, "exec", "life", "web", "--", "sh", "-c", "stat -c %a /tmp/page; cat /tmp/page; ls -A /tmp | grep -c part || true")
    assert look.split() == ["604", "newer0"]
    assert run(state, "exec", "life", "web", "--", "false", code=1) == ""

    since = uptime(state)
    run(state, "suspend", "life", "--yes")
    assert "suspended" in run(state, "plan", str(state / "stack.yaml"), "--name", "life", "--param", "vcpus=2", "--param", "memory=160", code=None)
    run(state, "start", "life", "--yes")
    assert uptime(state) > since  # it went on where it was

    up(state, "vcpus=2", "memory=160", "watchdog=poweroff")  # only a start brings that
    wait_for_agent(state)
    assert uptime(state) < since
    run(state, "stop", "life", "web", "--yes")
    run(state, "start", "life", "--yes")
    wait_for_agent(state)
    run(state, "down", "life", "--yes")


def wait_for_agent(state: Path) -> None:
    end = time.monotonic() + 90
    command = [sys.executable, "-m", "stackengine.cli.main", "exec", "life", "web", "--", "true"]
    while subprocess.run(command, capture_output=True, check=False, env={**os.environ, "STACKENGINE_STATE": str(state)}).returncode:
        assert time.monotonic() < end, "the guest did not boot"
        time.sleep(1)
