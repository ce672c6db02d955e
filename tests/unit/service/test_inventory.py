"""New stacks go where there is room, and the plan says why."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stackengine.cli.main import main
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import inventory
from stackengine.service.session import Session
from stackengine.service.stacks import carry_out, preview
from stackengine.service.types import Request, ServiceError, Settings

STACK = """heat_template_version: 2018-08-31
resources:
  web: {type: 'SE::Server', properties: {image: tiny, vcpus: 2, memory: 700}}
"""


def up(session: Session, folder: Path, name: str) -> tuple[str, str]:
    (folder / "stack.yaml").write_text(STACK)
    found = preview(session, Request(name, folder / "stack.yaml"))
    assert carry_out(session, found).status == "complete"
    return found.host, next((d.summary for d in found.diagnostics.items if d.code == "K111"), "")


def test_stacks_are_placed_by_room_and_stay_where_they_are(tmp_path: Path) -> None:
    session = Session(Settings(str(tmp_path)))
    for uri, memory in (("memory://small", 600), ("memory://a", 1000), ("memory://b", 2000)):
        inventory.add(session, uri, vcpus=4, memory=memory)
    where, why = up(session, tmp_path, "one")
    assert where == "memory://b"
    assert "not memory://small: memory: 700 MiB wanted, 600 left" in why
    assert up(session, tmp_path, "two")[0] == "memory://a"
    assert up(session, tmp_path, "one") == ("memory://b", "")  # an update is no new stack
    assert inventory.turn(session, "memory://b", "draining") == ["one"]
    with pytest.raises(InvalidTemplateError) as refused:
        up(session, tmp_path, "three")
    (error,) = refused.value.diagnostics.errors
    assert error.code == "K110"
    assert "memory://b: it is draining" in error.summary
    inventory.turn(session, "memory://b", "ready")
    assert up(session, tmp_path, "three")[0] == "memory://b"


def test_what_a_type_needs_its_host_must_be_able_to_do(tmp_path: Path) -> None:
    session = Session(Settings(str(tmp_path)))
    inventory.add(session, "memory://able")
    known = inventory.read(session.folder)
    assert "forwarding" in known.hosts[0].features
    inventory.write(session.folder, inventory.Inventory((inventory.Entry("memory://plain", 8, 9000),)))
    floating = "resources:\n  f: {type: 'OS::Neutron::FloatingIP', properties: {floating_network: p}}\n"
    (tmp_path / "f.yaml").write_text(f"heat_template_version: 2018-08-31\n{floating}")
    with pytest.raises(InvalidTemplateError) as refused:
        preview(session, Request("f", tmp_path / "f.yaml"))
    assert "it has no forwarding" in refused.value.diagnostics.errors[0].summary


def test_the_command_line_adds_shows_and_forgets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> str:
        assert main(["--state", str(tmp_path), *words]) == 0
        return capsys.readouterr().out

    run("hosts", "add", "memory://a", "--zone", "east", "--label", "disk=ssd", "--memory", "4096")
    shown = json.loads(run("hosts", "show", "memory://a", "--json"))["capacity"]
    assert (shown["zone"], shown["labels"], shown["memory"], shown["state"]) == ("east", ["disk=ssd"], 4096, "ready")
    assert "cordoned" in run("hosts", "cordon", "memory://a")
    assert "memory://a" in run("hosts", "ls")
    run("hosts", "forget", "memory://a")
    assert inventory.read(tmp_path).hosts == ()


def test_a_file_that_is_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("hosts: [{uri: memory://}]\n")
    with pytest.raises(ServiceError, match=r"hosts\.yaml cannot be read"):
        inventory.read(tmp_path)


def test_what_many_say_at_once_is_all_there(tmp_path: Path) -> None:
    names = [f"memory://host-{n}" for n in range(12)]

    def at_once(what: Callable[[Session, str], object]) -> None:
        together = threading.Barrier(len(names))

        def one(uri: str) -> None:
            with Session(Settings(str(tmp_path))) as session:
                session.host(uri)
                session.store.close()
                together.wait()
                what(session, uri)

        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(one, names))

    with Session(Settings(str(tmp_path))) as session:
        session.store.stacks()
    at_once(lambda session, uri: inventory.add(session, uri, zone=uri[-2:]))
    assert {h.uri for h in inventory.read(tmp_path).hosts} == set(names)
    at_once(lambda session, uri: inventory.turn(session, uri, "cordoned"))
    assert {h.state for h in inventory.read(tmp_path).hosts} == {"cordoned"}
    at_once(inventory.remove)
    assert inventory.read(tmp_path).hosts == ()


def test_a_host_that_is_said_to_be_dead_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    inventory.write(tmp_path, inventory.Inventory((inventory.Entry("qemu+ssh://a/system", 8, 9000, zone="east"),)))
    inventory.say_dead(tmp_path, "qemu+ssh://a/system")
    inventory.say_dead(tmp_path, "qemu+ssh://b/system")
    found = {h.uri: (h.zone, h.state, h.vcpus) for h in inventory.read(tmp_path).hosts}
    assert found == {"qemu+ssh://a/system": ("east", "dead", 8), "qemu+ssh://b/system": ("", "dead", 0)}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("type: 'OS::Nova::Server', properties: {image: tiny, flavor: tiny, availability_zone: 'az-9:zz'}", "zone az-9, host zz"),
        ("type: 'SE::Server', properties: {image: tiny, placement: {host_group: fast, labels: {disk: ssd}}}", "host group fast, label disk=ssd"),
        ("type: 'SE::Server', properties: {image: tiny, placement: {host: 'memory://', zone: q}}", "zone q"),
        ("type: 'SE::Server', properties: {image: tiny, placement: {host: 'memory://'}}", ""),
        ("type: 'SE::Server', properties: {image: tiny}", ""),
    ],
)
def test_without_an_inventory_wishes_are_said_to_be_in_vain(tmp_path: Path, properties: str, said: str) -> None:
    session = Session(Settings(str(tmp_path), "memory://"))
    (tmp_path / "stack.yaml").write_text(f"heat_template_version: 2018-08-31\nresources:\n  web: {{{properties}}}\n")
    found = preview(session, Request("s", tmp_path / "stack.yaml"))
    told = [(d.severity, d.summary.partition("no effect: ")[2], d.mark.line) for d in found.diagnostics.items if d.code == "K127"]
    assert told == ([("notice", said, 3)] if said else [])
    session.close()
