"""A stack on a real private host: ``kill -9`` at either side of every record of the journal, and every libvirt call refused once; each rerun converges.

``STACKENGINE_TEST_STRIDE=5`` takes every fifth place, ``STACKENGINE_TEST_FIRST=2`` from the second on: five such parts are all.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from processes.forked import Forked
from processes.killing import KILLED, PHASES, Part, Place, Turn, at_every_place, killed_once, refused_once
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.templates import gallery

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
PART = Part(int(os.environ.get("STACKENGINE_TEST_FIRST", "1")), int(os.environ.get("STACKENGINE_TEST_STRIDE", "1")))
HOST = f"killed{os.getpid()}"
STILL = b"\xfa\xf4\xeb\xfd".ljust(510, b"\0") + b"\x55\xaa"
"""A boot sector that stops the processor: a guest that runs and costs nothing."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("killed")
    yield Place(folder, f"private://{HOST}")
    for name in private.names(folder / "state"):
        private.remove(name, folder / "state")


@pytest.fixture
def still(place: Place) -> Place:
    """Servers have a disk, whose guest does nothing."""
    (place.folder / "still.raw").write_bytes(STILL.ljust(1 << 20, b"\0"))
    return replace(place, always=("--param", "image=./still.raw"))


@pytest.fixture
def quick(still: Place) -> Iterator[Place]:
    """Command lines are forks."""
    forked = Forked(still.folder / "forked")
    yield replace(still, forked=forked)
    forked.close()


def on_the_host(place: Place) -> dict[str, Any]:
    """Ids of domains and networks, files of volumes, and what guests and networks left beside them."""
    host = private.find(HOST, place.folder / "state")
    connection = libvirt.open(host.libvirt_uri)
    try:
        volumes = {v.path() for v in connection.storagePoolLookupByName("default").listAllVolumes()}
        networks, domains = connection.listAllNetworks(), connection.listAllDomains()
        running = [d for d in domains if d.isActive()]
        assert running == domains, "a guest does not run"
        attached = {s.get("file", "") for d in domains for s in ET.fromstring(d.XMLDesc()).findall("devices/disk/source")}
        return {
            "domains": {d.UUIDString() for d in domains},
            "networks": {n.UUIDString() for n in networks},
            "volumes": {v for v in volumes if not v.endswith(".json")},
            "records": {v.removesuffix(".json") for v in volumes if v.endswith(".json")},
            "attached": attached,
            "leases": [lease for n in networks for lease in n.DHCPLeases()],
            "beside": beside(host.folder, {d.name() for d in domains} | {n.name() for n in networks} | {d.UUIDString()[:8] for d in domains}),
        }
    finally:
        connection.close()


def beside(folder: Path, names: set[str]) -> list[str]:
    """Files of a host (definitions, filters, leases, NVRAM, saved memory) that belong to no guest or network which is there.

    ``names``: what their names have in common with those of what is there; a filter's ends in the beginning of its guest's UUID.
    """
    files = [p for top in ("etc", "lib") for p in (folder / top).rglob("*") if p.is_file() and p.name.startswith("se-") and p.stem != "se-layers"]
    return sorted(str(p.relative_to(folder)) for p in files if not any(n in p.name for n in names))


def exactly_its_objects(place: Place) -> None:
    """The host holds what the stack says, and nothing else."""
    mine, found = place.objects() if place.there() else {}, on_the_host(place)
    servers = {v for k, v in mine.items() if k in ("db", "web")}
    assert found["domains"] == servers
    assert found["networks"] == {v for k, v in mine.items() if k in ("front", "back")}
    assert found["volumes"] == found["attached"], "volumes are those that guests have"
    assert {Path(v).name for v in found["volumes"]} >= {v for k, v in mine.items() if k == "data"}
    assert sum(v.endswith(".iso") for v in found["volumes"]) == len(servers), "one seed for each server"
    assert found["records"] == found["volumes"], "one record for each volume"
    assert not found["beside"]


def nothing_is_left(place: Place) -> None:
    """The host is as if there had never been a stack."""
    assert not any(on_the_host(place).values())


def counted(turn: Turn, place: Place, phases: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    start = time.monotonic()
    counts = at_every_place(turn, place, exactly_its_objects, phases, PART)
    nothing_is_left(place)
    with capsys.disabled():
        print(f"\n{turn.__name__}: {counts}, {time.monotonic() - start:.0f} s")
    assert PART.first > 1 or min(counts.values()) > 0


@pytest.mark.parametrize("phases", PHASES)
def test_it_is_killed_at_every_record(quick: Place, phases: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    counted(killed_once, quick, phases, capsys)


@pytest.mark.parametrize("phases", PHASES)
def test_every_call_is_refused_once(quick: Place, phases: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    counted(refused_once, quick, phases, capsys)


def test_it_is_killed_once_in_each_phase_with_guests_that_boot(place: Place) -> None:
    """Three tiers that signal: killed in the middle of create, of a live update, of an update that fails, and of the delete."""
    guests = replace(place, name="booted")
    template, failing = (str(gallery()[e] / "hot" / "stack.yaml") for e in ("three-tier", "autofail"))

    def killed(number: int, *arguments: str) -> None:
        done = guests.run(*arguments, program=KILLED, number=number, limit=900)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr

    def up(file: str, *more: str) -> list[str]:
        return ["up", file, "--name", guests.name, "--yes", "--plain", "--allow", "replace", *more]

    killed(20, *up(template))
    guests.settle(900)
    before = guests.objects()
    killed(5, *up(template, "--param", "data_size=2"))
    guests.settle(900)
    assert guests.objects() == before
    killed(17, *up(failing, "--param", "data_size=2"))
    assert guests.run("resume", guests.name, "--plain", limit=900).returncode == 1, "the web servers say FAILURE again, and it goes back"
    assert guests.objects() == before
    killed(7, *guests.down())
    guests.settle(900)
    assert not guests.there()
    nothing_is_left(guests)


def test_two_command_lines_on_one_stack(still: Place) -> None:
    """At the same time: one makes or changes it, the other is told so or finds it done; nothing interleaves, nothing is there twice."""
    both = _at_once(still, [still.up(), still.up()])
    assert sorted(code for code, _ in both) in ([0, 0], [0, 1]), both
    exactly_its_objects(still)
    both = _at_once(still, [still.up("--param", f"memory={96 + 16 * n}") for n in (1, 2)])
    assert 0 in [code for code, _ in both], both
    assert all(code == 0 or "runs on the stack" in text for code, text in both), both
    seen: list[str] = []
    for line in still.ok("events", still.name, "--json").splitlines():
        operation = json.loads(line).get("operation", "")
        if not seen or seen[-1] != operation:
            assert operation not in seen, "two operations interleave"
            seen.append(operation)
    exactly_its_objects(still)
    both = _at_once(still, [still.down()] * 2)
    assert 0 in [code for code, _ in both], both
    nothing_is_left(still)


def test_ten_stacks_of_one_template_at_once(still: Place) -> None:
    """Ten command lines, one host: no two have an address, a bridge or a name in common, and nothing is left."""
    ten = [replace(still, name=f"s{n}") for n in range(10)]
    made = _at_once(still, [t.up("--param", "memory=64") for t in ten])
    assert [code for code, _ in made] == [0] * 10, made
    found = [t.objects() for t in ten]
    ids = [i for objects in found for path, i in objects.items() if ":" not in path]
    assert len(ids) == len(set(ids))
    there = on_the_host(still)
    assert (len(there["domains"]), len(there["networks"])) == (20, 20)
    assert sum(not v.endswith(".iso") for v in there["volumes"]) == 30, "a volume and two disks of servers each"
    gone = _at_once(still, [t.down() for t in ten])
    assert [code for code, _ in gone] == [0] * 10, gone
    nothing_is_left(still)


def _at_once(place: Place, lines: list[list[str]]) -> list[tuple[int, str]]:
    with ThreadPoolExecutor(len(lines)) as pool:
        done = list(pool.map(lambda words: place.run(*words, limit=900), lines))
    return [(d.returncode, d.stdout + d.stderr) for d in done]
