"""The contract of every type that has something on a host, on a real libvirtd with real QEMU: guests are started, not waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from stackengine import registry
from stackengine.hosts import open_host, private
from stackengine.hosts.images import Images
from stackengine.hosts.private import requirements
from stackengine.sdk import AgentError, Host, TransientError
from stackengine.testing import bench, contract

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TYPES = registry.load(entry_points=False)
MINUTES = (
    *(f"SE::Server-{case}" for case in ("groups", "from-disk", "boot-volume", "ipv6", "tuned", "hardware", "old-machine")),
    *("SE::VolumeAttachment-scsi", "SE::VolumeAttachment-encrypted", "SE::Volume-encrypted", "SE::VolumeSnapshot-encrypted"),
)
"""Cases that take minutes on QEMU."""
ELSEWHERE = ("read-only", "network", "volumes")
"""Cases that are tried elsewhere on guests: they need somebody who wrote, or another machine that gives out disks."""
CASES = [
    pytest.param(n, case, marks=pytest.mark.slow if n == "SE::Deployment" or f"{n}-{case}" in MINUTES else ())
    for n, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info) if case not in ELSEWHERE
]  # fmt: skip
BOOTED = ("SE::Deployment", "SE::VolumeAttachment")
"""Types that need a guest that has booted: one that runs scripts, or lets go of a disk."""
QUICK = {"shutdown_timeout": 0}
"""These guests are stopped before they have booted, so nobody would listen."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    folder = tmp_path_factory.mktemp("state")
    yield folder
    private.remove("types", folder)


@pytest.fixture(scope="module")
def host(state: Path) -> Iterator[Host]:
    found = open_host("private://types", state)
    yield found
    found.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def source(state: Path) -> bench.Source:
    images = Images(state)

    def opened(url: str, sha256: str) -> tuple[BinaryIO, int, str]:
        """The tiny image as it is; others are a disk that nothing boots from."""
        return images.open_source(url, sha256) if "tiny" in url else bench.sample_source(url, sha256)

    return opened


def booted(of: bench.Bench) -> None:
    """Waits until every guest's agent answers: only a guest that runs lets go of a disk."""
    end = time.monotonic() + 120
    for instance in of.recorded.instances.values():
        while instance.type == "SE::Server":
            try:
                of.host.domain_agent(str(instance.identity["uuid"]), {"execute": "guest-ping"}, 1)
                break
            except (AgentError, TransientError):
                assert time.monotonic() < end, "the guest did not boot"
                time.sleep(0.2)


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract_on_real_qemu(host: Host, source: bench.Source, name: str, case: str, check: contract.Check) -> None:
    settle: dict[str, Any] = {"settle": booted} if name in BOOTED else {}
    subject = contract.Subject(name, TYPES, lambda: host, case, QUICK, source, **settle)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        subject.clear()
