"""The contract of every type on a host that somebody names: ``STACKENGINE_CONTRACT_URI=esx://root@host/ pytest tests/real/test_contract_on_any_host.py``.

The host must be empty of stacks, and have the pools ``default`` and ``se-layers``, where its driver has pools. What its profile does not have is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from stackengine import registry
from stackengine.hosts import open_host
from stackengine.hosts.images import Images
from stackengine.sdk import Host
from stackengine.testing import bench, contract

pytest.importorskip("libvirt")
URI = os.environ.get("STACKENGINE_CONTRACT_URI", "")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not URI, reason="STACKENGINE_CONTRACT_URI names no host")]
TYPES = registry.load(entry_points=False)
CASES = [(n, case) for n, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info) if case != "read-only"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def host(state: Path) -> Iterator[Host]:
    found = open_host(URI, state)
    yield found
    found.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES if URI else [])
def test_a_type_keeps_the_contract_there(host: Host, state: Path, name: str, case: str, check: contract.Check) -> None:
    images = Images(state)

    def source(url: str, sha256: str) -> tuple[BinaryIO, int, str]:
        return images.open_source(url, sha256) if "tiny" in url else bench.sample_source(url, sha256)

    subject = contract.Subject(name, TYPES, lambda: host, case, {"shutdown_timeout": 0}, source)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        subject.clear()
