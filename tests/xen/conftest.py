"""A real Xen host in an emulated machine, built and started once for all tests here, put back to how it was where a test leaves something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackengine.hosts import open_host
from stackengine.sdk import Host
from tools.xen import host as hosts

libvirt = pytest.importorskip("libvirt")


@pytest.fixture(scope="session")
def xen() -> Iterator[hosts.XenHost]:
    problem = hosts.lacking()
    if problem:
        pytest.skip(problem)
    found = hosts.prepared()
    found.up()
    yield found
    found.down()


@pytest.fixture(scope="module")
def host(xen: hosts.XenHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    found = open_host(xen.uri, tmp_path_factory.mktemp("state"))
    yield found
    left = [d.name for d in found.domain_list()] + [n.name for n in found.network_list()] + list(found.volume_names("default"))
    found.close()  # type: ignore[attr-defined]
    if left:
        xen.reset()


@pytest.fixture
def state(xen: hosts.XenHost, tmp_path: Path) -> Iterator[Path]:
    """A state folder for command lines, with the images that are built already; what a test that fails leaves on the host goes."""
    images = hosts.cache_folder() / "state" / "images"
    images.mkdir(parents=True, exist_ok=True)
    (tmp_path / "images").symlink_to(images)
    yield tmp_path
    if xen.run("virsh", "-q", "-c", "xen:///system", "list", "--all", "--name").split() != ["Domain-0"]:
        xen.reset()
