"""Private hosts that are joined by a link, as two machines are by a cable. The link is made by root, between their network namespaces."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from command_line import run
from stackengine.hosts import private

UNDERLAY = "10.99.0."


def start(state: Path, names: Sequence[str]) -> dict[str, str]:
    """Started, joined each with the first, and in the inventory; the address of each by its name."""
    addresses = {name: f"{UNDERLAY}{number}" for number, name in enumerate(names, 1)}
    for name in names:
        private.ensure(name, state)
    join(state, addresses)
    for name, address in addresses.items():
        run(state, "hosts", "add", f"private://{name}", "--underlay", address, "--vcpus", "8", "--memory", "4096")
    return addresses


def join(state: Path, addresses: dict[str, str]) -> None:
    """A bridge in the first host, and a cable from it to each of the others; nothing where an earlier test did so."""
    pids = {name: private.find(name, state).pid for name in addresses}
    first, *others = addresses
    if all("wire" in inside(pid, "ip", "-o", "link") for pid in pids.values()):
        return
    inside(pids[first], "ip", "link", "add", "wire", "type", "bridge")
    inside(pids[first], "ip", "addr", "add", f"{addresses[first]}/24", "dev", "wire")
    inside(pids[first], "ip", "link", "set", "wire", "up")
    for number, name in enumerate(others):
        inside(pids[first], "ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "wire", "netns", str(pids[name]))
        inside(pids[first], "ip", "link", "set", f"to{number}", "master", "wire", "up")
        inside(pids[name], "ip", "addr", "add", f"{addresses[name]}/24", "dev", "wire")
        inside(pids[name], "ip", "link", "set", "wire", "up")


def inside(pid: int | None, *command: str) -> str:
    """Run a command of this machine in a host's network."""
    return subprocess.run(["nsenter", "-t", str(pid), "-n", "--", *command], check=True, capture_output=True, text=True).stdout
