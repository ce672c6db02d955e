"""A host under load, and one whose daemon is killed, restarted or frozen in the middle of an operation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]


def template(count: int) -> str:
    guest = "{type: 'SE::Server', properties: {image: tiny, memory: 128, shutdown_timeout: 0, networks: [{network: {get_resource: net}}]}}"
    servers = "".join(f"  g{n}: {guest}\n" for n in range(count))
    return f"heat_template_version: 2018-08-31\nresources:\n  net: {{type: 'SE::Network', properties: {{cidr: auto}}}}\n{servers}"


def libvirtd_of(name: str, state: Path) -> int:
    """The process id of a private host's libvirtd: a child of its process 1."""
    first = private.find(name, state).pid
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() == "libvirtd" and f"PPid:\t{first}\n" in (folder / "status").read_text():
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError(f"{name} has no libvirtd")


def domains(name: str, state: Path) -> list[str]:
    import libvirt

    connection = libvirt.open(private.find(name, state).libvirt_uri)
    try:
        return [d.name() for d in connection.listAllDomains() if d.isActive()]
    finally:
        connection.close()


@pytest.mark.parametrize("count", [10, 50])
def test_many_guests_of_one_stack_on_one_host(state: Path, tmp_path: Path, count: int) -> None:
    (tmp_path / "many.yaml").write_text(template(count))
    run(state, "up", str(tmp_path / "many.yaml"), "--name", "many", "--host", "private://crowd", "--yes")
    assert len(domains("crowd", state)) == count
    assert json.loads(run(state, "drift", "many", "--json"))["differences"] == []
    run(state, "down", "many", "--yes")
    assert domains("crowd", state) == []


def freeze(pid: int) -> None:
    """It answers nobody for some seconds, and then goes on."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(8)
    os.kill(pid, signal.SIGCONT)


def starting(name: str, state: Path) -> bool:
    """Whether libvirtd has begun to start a guest that does not run yet."""
    import libvirt

    connection = libvirt.open(private.find(name, state).libvirt_uri)
    try:
        begun = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP]
        return any(d.state() == begun for d in connection.listAllDomains())
    finally:
        connection.close()


HITS = {"killed": lambda pid: os.kill(pid, signal.SIGKILL), "restarted": lambda pid: os.kill(pid, signal.SIGTERM), "frozen": freeze}


@pytest.mark.parametrize("hit", HITS.values(), ids=HITS)
def test_a_daemon_is_hit_in_the_middle_of_an_operation(state: Path, tmp_path: Path, hit: Callable[[int], None]) -> None:
    """It ends well by itself, or is rolled back whole and then works: nothing is left over either way.

    It is hit while a guest starts: such a guest is ended by the daemon that comes back, and is to be started again.
    """
    host = f"frail-{next(name for name, how in HITS.items() if how is hit)}"
    private.ensure(host, state)
    (tmp_path / "six.yaml").write_text(template(6))
    command = [sys.executable, "-m", "stackengine.cli.main", "up", str(tmp_path / "six.yaml"), "--name", "six", "--host", f"private://{host}", "--yes"]
    with (tmp_path / "out").open("w") as out:
        running = subprocess.Popen(command, env={**os.environ, "STACKENGINE_STATE": str(state)}, stdout=out, stderr=out)
        end = time.monotonic() + 60
        while not domains(host, state) or not starting(host, state):
            assert time.monotonic() < end
            time.sleep(0.02)
        hit(libvirtd_of(host, state))
        code = running.wait(timeout=300)
    if code:
        assert code == 1, (tmp_path / "out").read_text()
        assert domains(host, state) == []
        run(state, "up", str(tmp_path / "six.yaml"), "--name", "six", "--host", f"private://{host}", "--yes")
    assert len(domains(host, state)) == 6
    assert json.loads(run(state, "drift", "six", "--json"))["differences"] == []
    run(state, "down", "six", "--yes")
    assert domains(host, state) == []
