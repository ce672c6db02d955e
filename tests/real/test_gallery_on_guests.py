"""The gallery on real guests: up, a page through the load balancer, a live update, one that fails and is rolled back, down, and nothing left."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.templates import gallery

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

LANGUAGES = ("hot", "cfn", "tosca")


def slow_but(*default: str) -> list[Any]:
    """All languages; in the default run each has one stack on real guests: three tiers in HOT, hello in the others."""
    return [pytest.param(x, marks=() if x in default else pytest.mark.slow) for x in LANGUAGES]


@pytest.fixture(autouse=True)
def nothing_stays(state: Path) -> Iterator[None]:
    """A test that fails takes its stacks down all the same."""
    yield
    for stack in json.loads(run(state, "ls", "--json"))["stacks"]:
        run(state, "down", stack["name"], "--yes")


def up(state: Path, example: str, language: str, *more: str, code: int = 0, name: str = "") -> str:
    template = gallery()[example] / language / "stack.yaml"
    words = ("up", str(template), "--name", name or f"{example}-{language}", "--host", "private://gallery", "--yes", "--allow", "replace")
    return run(state, *words, *more, code=code)


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def objects(state: Path, name: str) -> dict[str, Any]:
    return {r["path"]: r["physical_id"] for r in json.loads(run(state, "show", name, "--json"))["resources"]}


def left(state: Path) -> list[str]:
    """What of ours is on the host: domains, networks, volumes (the layers are the host's own and stay)."""
    connection = libvirt.open(private.find("gallery", state).libvirt_uri)
    found = [d.name() for d in connection.listAllDomains()] + [n.name() for n in connection.listAllNetworks()]
    found += [v.name() for v in connection.storagePoolLookupByName("default").listAllVolumes()]
    connection.close()
    return [name for name in found if name.startswith("se-")]


@pytest.mark.parametrize("language", slow_but("cfn", "tosca"))
def test_hello_serves_its_page_and_goes_without_a_trace(state: Path, language: str) -> None:
    up(state, "hello", language, "--param", "greeting=good morning")
    url = run(state, "outputs", f"hello-{language}", "url").strip()
    assert page(url) == "good morning\n"
    up(state, "hello", language, "--param", "greeting=good evening")
    assert page(url) == "good evening\n", "the page moves to the new server when that one serves"
    run(state, "down", f"hello-{language}", "--yes")
    assert left(state) == []


@pytest.mark.parametrize("language", slow_but("hot"))
def test_three_tiers_live_their_life(state: Path, language: str) -> None:
    name = f"three-tier-{language}"
    grown = f"{'datasize' if language == 'cfn' else 'data_size'}=2"  # CloudFormation's parameters have letters and digits only
    up(state, "three-tier", language)
    url, before = run(state, "outputs", name, "url").strip(), objects(state, name)
    pages = [page(url) for _ in range(4)]
    assert {p.splitlines()[1] for p in pages} == {"served by web1", "served by web2"}
    assert all(p.splitlines()[2].startswith("database: row 1") for p in pages)

    up(state, "three-tier", language, "--param", grown)
    assert objects(state, name) == before
    assert "2097152" in run(state, "ssh", name, "db", "--", "cat /proc/partitions")

    up(state, "autofail", language, "--param", grown, name=name, code=1)
    assert objects(state, name) == before
    assert page(url).splitlines()[0] == pages[0].splitlines()[0]

    run(state, "down", name, "--yes")
    assert left(state) == []


@pytest.mark.slow
def test_ten_servers_come_up_at_once(state: Path) -> None:
    up(state, "parallel", "hot")
    assert len([n for n in left(state) if "-node" in n and not n.endswith((".iso", ".json"))]) == 10
    run(state, "down", "parallel-hot", "--yes")
    assert left(state) == []
