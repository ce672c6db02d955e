"""A stack on a real private host: ``kill -9`` after every record of the journal, and every libvirt call refused once; each rerun converges, nothing is left.

Hours on a busy machine; ``STACKENGINE_TEST_STRIDE=5`` takes every fifth place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from processes.killing import Place, every_call_fails_once, killed_at_every_record
from stackengine.hosts import private
from stackengine.hosts.private import requirements

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
STRIDE = int(os.environ.get("STACKENGINE_TEST_STRIDE", "1"))
HOST = "hist"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("killed")
    yield Place(folder, f"private://{HOST}")
    for name in private.names(folder / "state"):
        private.remove(name, folder / "state")


def on_the_host(place: Place) -> dict[str, Any]:
    """Ids of domains and networks, names of volumes, leases, and NVRAM files."""
    connection = libvirt.open(private.find(HOST, place.folder / "state").libvirt_uri)
    try:
        volumes = {v.name() for v in connection.storagePoolLookupByName("default").listAllVolumes()}
        networks = connection.listAllNetworks()
        return {
            "domains": {d.UUIDString() for d in connection.listAllDomains()},
            "networks": {n.UUIDString() for n in networks},
            "volumes": {v for v in volumes if not v.endswith((".json", ".iso"))},
            "seeds": {v for v in volumes if v.endswith(".iso")},
            "records": {v.removesuffix(".json") for v in volumes if v.endswith(".json")},
        }
    finally:
        connection.close()


def exactly_its_objects(place: Place) -> None:
    """The host holds what the stack says, and nothing else."""
    mine, found = place.objects() if place.there() else {}, on_the_host(place)
    servers = {v for k, v in mine.items() if k in ("db", "web")}
    assert found["domains"] == servers
    assert found["networks"] == {v for k, v in mine.items() if k in ("front", "back")}
    assert found["volumes"] == {v for k, v in mine.items() if k == "data"}
    assert len(found["seeds"]) == len(servers), "one seed for each server"
    assert found["records"] == found["volumes"] | found["seeds"], "one record for each volume"


def test_it_is_killed_after_every_record(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    counts = killed_at_every_record(place, exactly_its_objects, STRIDE)
    with capsys.disabled():
        print(f"\nkilled after records: {counts}")
    assert min(counts.values()) >= 1


def test_every_call_is_refused_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    counts = every_call_fails_once(place, exactly_its_objects, STRIDE)
    with capsys.disabled():
        print(f"\nrefused calls: {counts}")
    assert min(counts.values()) >= 1
