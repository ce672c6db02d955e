"""Containers of libvirt's LXC driver as servers: the contract, and a stack of the gallery that signals and serves, in a host of its own namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from command_line import SECONDS
from stackengine import registry
from stackengine.hosts import open_host
from stackengine.hosts.images import Images
from stackengine.sdk import Host
from stackengine.service.templates import gallery
from stackengine.testing import bench, contract

libvirt = pytest.importorskip("libvirt")
DRIVER = Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_lxc.so")
lacking = "only root can start a host of containers" if os.getuid() else "" if DRIVER.is_file() else "libvirt-daemon-driver-lxc is not installed"
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason=lacking)]

ROOT = Path(__file__).parents[2]
TYPES = registry.load(entry_points=False)
CASES = [(n, case) for n, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info) if case != "read-only"]
POOL = "<pool type='dir'><name>{}</name><target><path>/var/lib/libvirt/{}</path></target></pool>"
QUICK = {"shutdown_timeout": 0}


@dataclass(frozen=True)
class Containers:
    """A host of containers; ``pid`` is its process 1."""

    folder: Path
    pid: int

    @property
    def uri(self) -> str:
        return f"lxc+unix:///system?socket={self.folder}/run/libvirt/libvirt-sock"

    def run(self, state: Path, *words: str, code: int = 0) -> str:
        """``stack-run`` inside the host's network, as on a machine of its own."""
        environment = {**os.environ, "STACKENGINE_STATE": str(state)}
        command = ["nsenter", "--net", f"--target={self.pid}", sys.executable, "-m", "stackengine.cli.main", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    folder = tmp_path_factory.mktemp("lxc")
    done = subprocess.run([ROOT / "tools" / "lxc-host", "up", folder], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found = Containers(folder, int(done.stdout))
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open(found.uri)
    for name, place in (("default", "images"), ("se-layers", "layers")):
        connection.storagePoolCreateXML(POOL.format(name, place))
    connection.close()
    yield found
    subprocess.run([ROOT / "tools" / "lxc-host", "down", folder], check=True, timeout=60)


@pytest.fixture(scope="module")
def host(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    found = open_host(containers.uri, tmp_path_factory.mktemp("state"))
    yield found
    found.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> bench.Source:
    images = Images(tmp_path_factory.mktemp("images"))

    def opened(url: str, sha256: str) -> tuple[BinaryIO, int, str]:
        return images.open_source(url, sha256) if "tiny" in url else bench.sample_source(url, sha256)

    return opened


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract_on_containers(host: Host, source: bench.Source, name: str, case: str, check: contract.Check) -> None:
    subject = contract.Subject(name, TYPES, lambda: host, case, QUICK, source)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        subject.clear()


def test_a_stack_of_containers_signals_serves_and_goes(containers: Containers, tmp_path: Path) -> None:
    template = gallery()["hello"] / "hot" / "stack.yaml"
    up = ("up", str(template), "--name", "hello", "--host", containers.uri, "--yes", "--allow", "replace")
    containers.run(tmp_path, *up, "--param", "greeting=good morning")
    url = containers.run(tmp_path, "outputs", "hello", "url").strip()

    def page() -> str:
        command = ["nsenter", "--net", f"--target={containers.pid}", "curl", "-s", "-m", "10", url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert page() == "good morning\n"
    containers.run(tmp_path, *up, "--param", "greeting=good evening")
    assert page() == "good evening\n"
    assert "ssh server" in containers.run(tmp_path, "logs", "hello", "web")
    containers.run(tmp_path, "down", "hello", "--yes")
    connection = libvirt.open(containers.uri)
    left = [d.name() for d in connection.listAllDomains()] + [n.name() for n in connection.listAllNetworks()]
    left += [v.name() for v in connection.storagePoolLookupByName("default").listAllVolumes()]
    connection.close()
    assert left == []
