"""One stack on two hosts: real guests on either side of a tunnel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import run
from real.joined_hosts import start
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

STACK = """heat_template_version: 2018-08-31
resources:
  net: {type: OS::Neutron::Net}
  range: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}}}
  apart: {type: OS::Nova::ServerGroup, properties: {policies: [anti-affinity]}}
  web: {type: 'SE::Server', properties: &guest {image: tiny, flavor: tiny, networks: [{network: {get_resource: net}}], ready: {gate: agent},
                                               placement: {groups: [{get_resource: apart}]}}}
  db: {type: 'SE::Server', properties: *guest}
outputs:
  web: {value: {get_attr: [web, address]}}
  db: {value: {get_attr: [db, address]}}
"""


def placed(state: Path, name: str) -> dict[str, str]:
    return {r["path"]: r["host"] for r in json.loads(run(state, "show", name, "--json"))["resources"]}


def outputs(state: Path, name: str) -> dict[str, str]:
    return {n: o["value"] for n, o in json.loads(run(state, "outputs", name, "--json"))["outputs"].items()}


def reaches(state: Path, stack: str, server: str, address: str) -> bool:
    """Whether an answer comes to one of ten pings: a guest whose agent answers may still wait for its address."""
    return "bytes from" in run(state, "exec", stack, server, "--", "ping", "-c10", "-W10", address, code=None)


def up(state: Path, folder: Path, name: str, text: str, *more: str) -> str:
    (folder / f"{name}.yaml").write_text(text)
    return run(state, "up", str(folder / f"{name}.yaml"), "--name", name, "--yes", *more)


def test_guests_on_two_hosts_reach_each_other(state: Path, tmp_path: Path) -> None:
    start(state, ("one", "two"))
    up(state, tmp_path, "span", STACK)
    hosts = placed(state, "span")
    assert {hosts["web"], hosts["db"]} == {"private://one", "private://two"}
    found = outputs(state, "span")
    assert reaches(state, "span", "web", found["db"])
    assert reaches(state, "span", "db", found["web"])
    assert run(state, "exec", "span", "db", "--", "hostname").strip() == "db"
    assert "No changes" in run(state, "plan", str(tmp_path / "span.yaml"), "--name", "span", code=None)
    assert json.loads(run(state, "drift", "span", "--json"))["differences"] == []
    run(state, "down", "span", "--yes")
    for name in ("one", "two"):
        assert private.find(name, state).forwarding() == {}


DISK = """heat_template_version: 2018-08-31
parameters:
  disk: {type: string}
resources:
  net: {type: 'SE::Network', properties: {cidr: auto}}
  web:
    type: 'SE::Server'
    properties:
      image: {get_param: disk}
      rescue: tiny
      memory: 128
      networks: [{network: {get_resource: net}}]
      placement: {host: one}
"""
"""A guest with a root disk of its own, that runs the tiny image's kernel."""


def inside_guest(state: Path, stack: str, server: str, script: str) -> str:
    return run(state, "exec", stack, server, "--", "sh", "-c", script)


def booted(state: Path, stack: str, server: str) -> None:
    """Its agent answers: nobody waits for a rescue system."""
    wait_until(lambda: run(state, "exec", stack, server, "--", "echo", "here", code=None) == "here\n", 120)


@pytest.mark.slow
def test_a_guest_moves_with_its_memory_and_its_disk(state: Path, tmp_path: Path) -> None:
    start(state, ("one", "two"))
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "64M"], check=True)
    up(state, tmp_path, "moving", DISK, "--param", f"disk={disk}")
    booted(state, "moving", "web")
    inside_guest(state, "moving", "web", "echo written > /dev/vda; sync")
    boot, before = inside_guest(state, "moving", "web", "cat /proc/sys/kernel/random/boot_id /proc/uptime").splitlines()
    moved = run(state, "migrate", "moving", "web", "--to", "two", "--yes")
    assert placed(state, "moving")["web"] == "private://two", moved
    same, after = inside_guest(state, "moving", "web", "cat /proc/sys/kernel/random/boot_id /proc/uptime").splitlines()
    assert (same, float(after.split()[0]) > float(before.split()[0])) == (boot, True)
    assert inside_guest(state, "moving", "web", "head -c 7 /dev/vda") == "written"
    gateway = json.loads(run(state, "show", "moving", "net", "--json"))["attributes"]["gateway"]
    assert reaches(state, "moving", "web", gateway)
    assert not [p for p in (state / "hosts" / "one" / "volumes").iterdir() if "web" in p.name]
    assert json.loads(run(state, "drift", "moving", "--json"))["differences"] == []
    run(state, "rollback", "moving", "--yes")
    assert placed(state, "moving")["web"] == "private://one"
    assert inside_guest(state, "moving", "web", "cat /proc/sys/kernel/random/boot_id").strip() == boot
    run(state, "down", "moving", "--yes")


@pytest.mark.slow
def test_a_host_dies_and_its_servers_are_made_again_elsewhere(state: Path, tmp_path: Path) -> None:
    start(state, ("one", "two"))
    up(state, tmp_path, "mortal", STACK.replace("anti-affinity", "soft-anti-affinity"))  # of the two hosts, one will have to do
    where = placed(state, "mortal")
    dying = where["net"]  # the one with the addresses, DHCP and DNS
    victim, survivor = ("web", "db") if where["web"] == dying else ("db", "web")
    boot = inside_guest(state, "mortal", survivor, "cat /proc/sys/kernel/random/boot_id")
    pid = private.find(dying.removeprefix("private://"), state).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # process 1: libvirtd and every guest of this host end with it
    wait_until(lambda: private.find(dying.removeprefix("private://"), state).pid is None)
    shown = {r["path"]: r["status"] for r in json.loads(run(state, "show", "mortal", "--json"))["resources"]}
    assert (shown[victim], shown[survivor]) == ("unreachable", "ready")
    plan = run(state, "evacuate", dying, "--yes")
    assert f"what its disks held is lost with {dying}" not in plan or victim in plan
    assert dying not in {h for p, h in placed(state, "mortal").items() if p in ("web", "db", "net")}
    addresses = outputs(state, "mortal")
    assert reaches(state, "mortal", victim, addresses[survivor])
    assert inside_guest(state, "mortal", survivor, "cat /proc/sys/kernel/random/boot_id") == boot  # it ran on, and is still on its network
    assert json.loads(run(state, "drift", "mortal", "--json"))["differences"] == []
    run(state, "hosts", "uncordon", dying)
    run(state, "down", "mortal", "--yes")


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
