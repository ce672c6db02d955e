"""The contract of every type that has something on a host, on real Xen through libxl. What its profile does not have is skipped, and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest

from stackengine import registry
from stackengine.hosts.images import Images
from stackengine.sdk import Host, HostError
from stackengine.testing import bench, contract
from tools.xen.host import XenHost, cache_folder

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


LARGE = {"from-disk": "its server wants 2 GiB, and may grow to 4: the emulated host has 2 for all guests"}


class Standing:
    """What a case needs beside the thing under test: it stays on the host for the next check, as an emulated host takes long to make it again."""

    def __init__(self, xen: XenHost) -> None:
        self._xen, self._case = xen, ("", "")
        self._last: bench.Bench | None = None

    def begin(self, name: str, case: str) -> None:
        """What the case before needed goes, unless this is the same."""
        if self._case != (name, case):
            self.clear()
            self._case = (name, case)

    def keep(self, benches: list[bench.Bench]) -> None:
        """After a check: the thing itself goes, the rest stays. Each bench plans the same names, and finds what the one before made."""
        made = [b for b in benches if b.recorded.instances]
        try:
            for found in [b for b in made if b.instance()][-1:]:
                found.delete()
        except HostError:
            self._reset()
        else:
            self._last = max(made, key=lambda b: len(b.recorded.instances), default=self._last)

    def clear(self) -> None:
        """All goes; where the host does not let it go, it is put back to how it was."""
        last, self._last = self._last, None
        try:
            if last is not None:
                last.clear()
        except HostError:
            self._reset()

    def _reset(self) -> None:
        self._last = None
        self._xen.reset()


@pytest.fixture(scope="module")
def standing(xen: XenHost, host: Host) -> Iterator[Standing]:
    found = Standing(xen)
    yield found
    found.clear()


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract_on_xen(host: Host, standing: Standing, name: str, case: str, check: contract.Check) -> None:
    if case in LARGE:
        pytest.skip(LARGE[case])
    standing.begin(name, case)
    settle: dict[str, Any] = {"settle": booted} if name == "SE::VolumeAttachment" else {}
    subject = contract.Subject(name, TYPES, lambda: host, case, QUICK, source, **settle)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        standing.keep(subject.benches)
