"""The contract of every type that has something on a host, on real Xen through libxl. What its profile does not have is skipped, and counted."""

from __future__ import annotations

import time
from typing import Any, BinaryIO

import pytest

from stackengine import registry
from stackengine.hosts.images import Images
from stackengine.sdk import Host
from stackengine.testing import bench, contract
from tools.xen.host import cache_folder

pytestmark = pytest.mark.xen
TYPES = registry.load(entry_points=False)
CASES = [(n, case) for n, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info) if case != "read-only"]
QUICK = {"shutdown_timeout": 0}
"""These guests are stopped before they have booted, so nobody would listen."""


def source(url: str, sha256: str) -> tuple[BinaryIO, int, str]:
    """The tiny image as it is; others are a disk that nothing boots from."""
    images = Images(cache_folder() / "state")
    return images.open_source(url, sha256) if "tiny" in url else bench.sample_source(url, sha256)


def booted(of: bench.Bench) -> None:
    """Waits until every guest has its address: only a guest that runs lets go of a disk."""
    end = time.monotonic() + 240
    for instance in of.recorded.instances.values():
        while instance.type == "SE::Server" and not of.host.domain_addresses(str(instance.identity["uuid"])):
            assert time.monotonic() < end, "the guest did not boot"
            time.sleep(0.5)


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract_on_xen(host: Host, name: str, case: str, check: contract.Check) -> None:
    settle: dict[str, Any] = {"settle": booted} if name == "SE::VolumeAttachment" else {}
    subject = contract.Subject(name, TYPES, lambda: host, case, QUICK, source, **settle)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        subject.clear()
