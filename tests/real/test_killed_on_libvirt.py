"""A stack on a real private host: ``kill -9`` after every record of the journal, and every libvirt call refused once; each rerun converges, nothing is left.

Hours on a busy machine; ``STACKENGINE_TEST_STRIDE=5`` takes every fifth place.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from processes.killing import KILLED, Place, every_call_fails_once, killed_at_every_record
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.templates import gallery

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


def test_it_is_killed_once_in_each_phase_with_guests_that_boot(place: Place) -> None:
    """Three tiers that signal: killed in the middle of create, of a live update, of an update that fails, and of the delete."""
    guests = replace(place, name="booted")
    template, failing = (str(gallery()[e] / "hot" / "stack.yaml") for e in ("three-tier", "autofail"))

    def killed(number: int, *arguments: str) -> None:
        done = guests.run(*arguments, code=KILLED, number=number, limit=900)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr

    def up(file: str, *more: str) -> list[str]:
        return ["up", file, "--name", guests.name, "--yes", "--plain", *more, *guests.allowed()]

    killed(10, *up(template))
    guests.settle(900)
    before = guests.objects()
    killed(2, *up(template, "--param", "data_size=2"))
    guests.settle(900)
    assert guests.objects() == before
    killed(8, *up(failing, "--param", "data_size=2"))
    assert guests.run("resume", guests.name, "--plain", limit=900).returncode == 1, "the web servers say FAILURE again, and it goes back"
    assert guests.objects() == before
    killed(3, "down", guests.name, "--yes", "--plain")
    guests.settle(900)
    assert not guests.there()
    assert all(not found for found in on_the_host(guests).values())


def test_every_call_is_refused_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    counts = every_call_fails_once(place, exactly_its_objects, STRIDE)
    with capsys.disabled():
        print(f"\nrefused calls: {counts}")
    assert min(counts.values()) >= 1
