"""A stack on a real private host: ``kill -9`` after every record of the journal, and every libvirt call refused once; each rerun converges, nothing is left.

An hour on an idle machine. ``STACKENGINE_TEST_STRIDE=5`` takes every fifth place, ``STACKENGINE_TEST_FIRST=2`` from the second on: five such parts are all.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from processes.killing import KILLED, PHASES, Part, Place, every_call_fails_once, killed_at_every_record
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.templates import gallery

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
PART = Part(int(os.environ.get("STACKENGINE_TEST_FIRST", "1")), int(os.environ.get("STACKENGINE_TEST_STRIDE", "1")))
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


@pytest.mark.parametrize("phase", PHASES)
def test_it_is_killed_after_every_record(place: Place, phase: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = killed_at_every_record(place, exactly_its_objects, phase, PART)
    with capsys.disabled():
        print(f"\n{phase}: killed after {count} records")
    assert count


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


@pytest.mark.parametrize("phase", PHASES)
def test_every_call_is_refused_once(place: Place, phase: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = every_call_fails_once(place, exactly_its_objects, phase, PART)
    with capsys.disabled():
        print(f"\n{phase}: {count} calls were refused")
    assert count


def test_two_command_lines_on_one_stack(place: Place) -> None:
    """At the same time: one makes or changes it, the other is told so or finds it done; nothing interleaves, nothing is there twice."""
    both = _at_once(place, [place.up(), place.up()])
    assert sorted(code for code, _ in both) in ([0, 0], [0, 1]), both
    exactly_its_objects(place)
    both = _at_once(place, [place.up("--param", f"memory={96 + 16 * n}") for n in (1, 2)])
    assert 0 in [code for code, _ in both], both
    assert all(code == 0 or "runs on the stack" in text for code, text in both), both
    seen: list[str] = []
    for line in place.ok("events", place.name, "--json").splitlines():
        operation = json.loads(line).get("operation", "")
        if not seen or seen[-1] != operation:
            assert operation not in seen, "two operations interleave"
            seen.append(operation)
    exactly_its_objects(place)
    both = _at_once(place, [["down", place.name, "--yes"]] * 2)
    assert 0 in [code for code, _ in both], both
    exactly_its_objects(place)


def test_ten_stacks_of_one_template_at_once(place: Place) -> None:
    """Ten command lines, one host: no two have an address, a bridge or a name in common, and nothing is left."""
    ten = [replace(place, name=f"s{n}") for n in range(10)]
    made = _at_once(place, [t.up("--param", "memory=64") for t in ten])
    assert [code for code, _ in made] == [0] * 10, made
    found = [t.objects() for t in ten]
    ids = [i for objects in found for path, i in objects.items() if ":" not in path]
    assert len(ids) == len(set(ids))
    there = on_the_host(place)
    assert (len(there["domains"]), len(there["networks"]), len(there["volumes"])) == (20, 20, 10)
    gone = _at_once(place, [["down", t.name, "--yes"] for t in ten])
    assert [code for code, _ in gone] == [0] * 10, gone
    assert not any(on_the_host(place).values())


def _at_once(place: Place, lines: list[list[str]]) -> list[tuple[int, str]]:
    with ThreadPoolExecutor(len(lines)) as pool:
        done = list(pool.map(lambda words: place.run(*words, limit=900), lines))
    return [(d.returncode, d.stdout + d.stderr) for d in done]
