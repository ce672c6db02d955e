"""Command lines that end by SIGKILL after a chosen record of the journal, or for which one chosen host call fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KILLED = """
import os, signal, sys
from stackengine.store.log import OperationJournal
left, whole = int(sys.argv.pop(1)), OperationJournal.commit
def commit(self, events, *more, **named):
    global left
    found = whole(self, events, *more, **named)
    left -= bool(events)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
OperationJournal.commit = commit
from stackengine.cli.main import main
sys.exit(main())
"""
REFUSED = """
import sys
left = int(sys.argv.pop(1))
from stackengine.hosts.libvirt.connections import Connections
from stackengine.sdk import RefusedError
whole = Connections.call
def call(self, name, work, **named):
    global left
    left -= 1
    if left == 0:
        raise RefusedError("refused on purpose", code=1, call=name)
    return whole(self, name, work, **named)
import stackengine.service.operations as operations
execute = operations.execute
def counted(*arguments, **named):
    Connections.call = call
    try:
        return execute(*arguments, **named)
    finally:
        Connections.call = whole
operations.execute = counted
from stackengine.cli.main import main
code = main()
sys.exit(77 if left > 0 else code)
"""
UNTOUCHED = 77
"""Exit code of ``refused`` when there were fewer calls than that."""
TEMPLATE = """
heat_template_version: 2018-08-31
description: Three tiers whose servers are ready as soon as they run.
parameters:
  size: {type: number, default: 1}
  memory: {type: number, default: 96}
  breaks: {type: number, default: 0}
resources:
  front: {type: OS::Neutron::Net}
  front_subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: front}}}
  back: {type: OS::Neutron::Net}
  back_subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: back}}}
  port: {type: SE::Port, properties: {subnet: {get_resource: back_subnet}}}
  data: {type: OS::Cinder::Volume, properties: {size: {get_param: size}}}
  db:
    type: SE::Server
    properties: {image: tiny, memory: 96, networks: [{port: {get_resource: port}}], volumes: [{volume: {get_resource: data}}], shutdown_timeout: 1}
  web:
    type: SE::Server
    depends_on: db
    properties:
      image: tiny
      memory: {get_param: memory}
      networks: [{subnet: {get_resource: front_subnet}}, {subnet: {get_resource: back_subnet}}]
      user_data: {str_replace: {template: "#!/bin/sh\\n# release N\\n", params: {N: {get_param: breaks}}}}
      shutdown_timeout: 1
"""


@dataclass(frozen=True)
class Place:
    """A state folder, and the host that its stack is on."""

    folder: Path
    host: str
    name: str = "killed"

    def run(self, *arguments: str, code: str = "", number: int = 0, limit: int = 300) -> subprocess.CompletedProcess[str]:
        """stack-run; ``code`` is the program around it, ``number`` what it is told."""
        around = ["-c", code, str(number)] if code else ["-m", "stackengine.cli.main"]
        environment = {**os.environ, "STACKENGINE_STATE": str(self.folder / "state"), "STACKENGINE_HOST": self.host}
        done = subprocess.run([sys.executable, *around, *arguments], capture_output=True, text=True, check=False, timeout=limit, env=environment)
        assert "Traceback" not in done.stderr, done.stderr
        assert "internal error" not in done.stderr, done.stderr
        return done

    def ok(self, *arguments: str) -> str:
        """stack-run, and it ends well."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, *more: str) -> list[str]:
        """The words of ``up``."""
        file = self.folder / "stack.yaml"
        if not file.is_file():
            file.write_text(TEMPLATE)
        return ["up", str(file), "--name", self.name, "--yes", "--plain", *more, *self.allowed()]

    def allowed(self) -> list[str]:
        """That servers may be replaced."""
        return ["--allow", "replace"] if "--allow" in self.ok("up", "--help") else []

    def there(self) -> bool:
        """Whether the stack is there."""
        return any(s["name"] == self.name for s in json.loads(self.ok("ls", "--json"))["stacks"])

    def settle(self, limit: int = 300) -> None:
        """Whatever was begun is finished: what every person would say."""
        done = self.run("resume", self.name, "--plain", limit=limit)
        assert done.returncode == 0, done.stdout + done.stderr

    def objects(self) -> dict[str, str]:
        """path -> physical id of what is recorded, every one of it ready."""
        found = self.shown()
        assert found["state"] in ("complete", "rolled_back"), found["state"]
        assert {r["status"] for r in found["resources"]} == {"ready"}, [(r["path"], r["status"]) for r in found["resources"]]
        paths = [r["path"] for r in found["resources"]]
        assert len(paths) == len(set(paths)), "two of one path"
        return {r["path"]: r["physical_id"] for r in found["resources"]}

    def shown(self) -> dict[str, Any]:
        """What ``show`` says."""
        found: dict[str, Any] = json.loads(self.ok("show", self.name, "--json"))
        return found


@dataclass(frozen=True)
class Part:
    """Every ``stride``-th place, from ``first`` on: all parts of one stride together are all places."""

    first: int = 1
    stride: int = 1

    def numbers(self) -> range:
        """The records or calls at which something happens."""
        return range(self.first, 2000, self.stride)


Check = Callable[[Place], None]
"""Looks at the host when the stack is as it should be, or gone."""
PHASES = ("create", "update", "rollback", "delete")


class Releases:
    """Each is another user data, so that the web server is replaced; other memory, which changes as it runs; and a larger volume, which is copied first."""

    def __init__(self, place: Place, first: int) -> None:
        self._place, self._number = place, first * 1000

    def next(self) -> list[str]:
        """The words of the next ``up``."""
        self._number += 1
        changed = {"breaks": self._number, "memory": 96 + self._number % 2 * 16, "size": 1 + self._number % 1000}
        return self._place.up(*(w for name, value in changed.items() for w in ("--param", f"{name}={value}")))


def killed_at_every_record(place: Place, check: Check, phase: str, part: Part = Part()) -> int:
    """``kill -9`` after each record of one phase; every rerun converges. Returns at how many it was; the stack is gone afterwards."""
    releases, count = Releases(place, part.first), 0
    if phase != "create":
        place.ok(*place.up())
    for number in part.numbers():
        if phase == "rollback":
            place.ok(*releases.next())
        words = {
            "create": place.up, "update": releases.next,
            "rollback": lambda: ["rollback", place.name, "--yes", "--plain", *place.allowed()], "delete": lambda: ["down", place.name, "--yes", "--plain"],
        }[phase]()  # fmt: skip
        killed = place.run(*words, code=KILLED, number=number)
        if killed.returncode == 0:
            break
        _resumed(place, killed, check, lambda: place.ok(*place.up()) if phase == "create" else None)
        count += 1
        if phase == "create":
            place.ok("down", place.name, "--yes")
            check(place)
        elif phase == "delete":
            place.ok(*place.up())
    if place.there():
        place.ok("down", place.name, "--yes")
    check(place)
    return count


def _resumed(place: Place, killed: subprocess.CompletedProcess[str], check: Check, otherwise: Callable[[], object]) -> None:
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    if place.there():
        place.settle()
    if not place.there() or place.shown()["state"] == "none":
        otherwise()
    check(place)


def every_call_fails_once(place: Place, check: Check, phase: str, part: Part = Part()) -> int:
    """Each host call of one phase is refused once: rolled back, or said and mended by the next command. Returns how many were; the stack is gone."""
    turn = {"create": _refused_create, "update": _refused_update, "rollback": _refused_rollback, "delete": _refused_delete}[phase]
    releases, count = Releases(place, part.first), 0
    if phase != "create":
        place.ok(*place.up())
    for number in part.numbers():
        if not turn(place, releases, number):
            break
        count += 1
        check(place)
        if phase == "delete":
            place.ok(*place.up())
    if place.there():
        place.ok("down", place.name, "--yes")
    check(place)
    return count


def _refused_create(place: Place, _releases: Releases, number: int) -> bool:
    done = place.run(*place.up(), code=REFUSED, number=number)
    assert done.returncode in (0, 1, UNTOUCHED), done.stdout + done.stderr
    place.ok("down", place.name, "--yes")
    return done.returncode != UNTOUCHED


def _refused_update(place: Place, releases: Releases, number: int) -> bool:
    before, words = place.objects(), releases.next()
    done = place.run(*words, code=REFUSED, number=number)
    if done.returncode == UNTOUCHED:
        return False
    if done.returncode and "rolled back" in done.stdout + done.stderr:
        assert place.objects() == before, "the rollback took other objects"
    elif done.returncode:  # in the cleanup tail
        place.ok(*words)
    return True


def _refused_rollback(place: Place, releases: Releases, number: int) -> bool:
    place.ok(*releases.next())
    done = place.run("rollback", place.name, "--yes", "--plain", *place.allowed(), code=REFUSED, number=number)
    if done.returncode not in (0, UNTOUCHED):
        place.ok("rollback", place.name, "--continue", "--yes", *place.allowed())
    return done.returncode != UNTOUCHED


def _refused_delete(place: Place, _releases: Releases, number: int) -> bool:
    done = place.run("down", place.name, "--yes", "--plain", code=REFUSED, number=number)
    if done.returncode not in (0, UNTOUCHED):
        assert place.there(), done.stdout + done.stderr
        place.ok("down", place.name, "--yes")
    return done.returncode != UNTOUCHED
