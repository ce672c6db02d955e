"""Command lines that end by SIGKILL at a chosen record of the journal, or for which one chosen host call fails."""

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

from processes.forked import Forked

PLAIN = """
import sys
from stackengine.cli.main import main
sys.exit(main())
"""
KILLED = """
import os, signal, sys
from contextlib import contextmanager
from stackengine.store import log, store
from stackengine.store.database import Database
number, told = int(sys.argv.pop(1)), False
append, transaction = log.append, Database.writing
def appended(connection, stack, operation, events, now):
    global told
    told = told or bool(events)
    return append(connection, stack, operation, events, now)
def side():
    global number
    number -= 1
    if not number:
        os.kill(os.getpid(), signal.SIGKILL)
@contextmanager
def writing(self):
    global told
    told = False
    with transaction(self) as connection:
        yield connection
        if told:
            side()
    if told:
        side()
log.append = store.append = appended
Database.writing = writing
from stackengine.cli.main import main
sys.exit(main())
"""
"""Odd numbers: before a record is durable (what it tells of has happened); even ones: after it."""
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
  image: {type: string, default: tiny}
resources:
  front: {type: OS::Neutron::Net}
  front_subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: front}}}
  back: {type: OS::Neutron::Net}
  back_subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: back}}}
  port: {type: SE::Port, properties: {subnet: {get_resource: back_subnet}}}
  data: {type: OS::Cinder::Volume, properties: {size: {get_param: size}}}
  db:
    type: SE::Server
    properties:
      image: {get_param: image}
      memory: 96
      networks: [{port: {get_resource: port}}]
      volumes: [{volume: {get_resource: data}}]
      shutdown_timeout: 0
  web:
    type: SE::Server
    depends_on: db
    properties:
      image: {get_param: image}
      memory: {get_param: memory}
      networks: [{subnet: {get_resource: front_subnet}}, {subnet: {get_resource: back_subnet}}]
      user_data: {str_replace: {template: "#!/bin/sh\\n# release N\\n", params: {N: {get_param: breaks}}}}
      shutdown_timeout: 1
"""


PHASES = ("create", "delete"), ("update", "rollback")
"""Two that undo each other are done in turn."""


@dataclass(frozen=True)
class Place:
    """A state folder, and the host that its stack is on. ``forked``: what runs the command lines (None: each is started anew, several at once)."""

    folder: Path
    host: str
    name: str = "killed"
    forked: Forked | None = None
    always: tuple[str, ...] = ()
    """More words of every ``up``."""

    def run(self, *arguments: str, program: str = PLAIN, number: int = 0, limit: int = 300) -> subprocess.CompletedProcess[str]:
        """stack-run; ``program`` is what is around it, ``number`` what that is told."""
        words = [*([str(number)] if program != PLAIN else []), *arguments]
        environment = {"STACKENGINE_STATE": str(self.folder / "state"), "STACKENGINE_HOST": self.host}
        if self.forked is not None:
            done = self.forked.run(program, words, environment, limit)
        else:
            command = [sys.executable, "-c", program, *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit, env={**os.environ, **environment})
        assert "Traceback" not in done.stderr, done.stderr
        assert "a fault of" not in done.stderr, done.stderr  # "internal error" is what libvirt calls much that passes
        return done

    def ok(self, *arguments: str) -> str:
        """stack-run, and it ends well."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, *more: str) -> list[str]:
        """The words of ``up``; servers may be replaced."""
        file = self.folder / "stack.yaml"
        if not file.is_file():
            file.write_text(TEMPLATE)
        return ["up", str(file), "--name", self.name, "--yes", "--plain", "--allow", "replace", *self.always, *more]

    def back(self, *more: str) -> list[str]:
        """The words of ``rollback``."""
        return ["rollback", self.name, "--yes", "--plain", "--allow", "replace", *more]

    def down(self) -> list[str]:
        """The words of ``down``."""
        return ["down", self.name, "--yes", "--plain"]

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
        assert found["state"] in ("none", "complete", "rolled_back"), found["state"]
        assert {r["status"] for r in found["resources"]} <= {"ready"}, [(r["path"], r["status"]) for r in found["resources"]]
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
        """The places at which something happens."""
        return range(self.first, 2000, self.stride)


Check = Callable[[Place], None]
"""Looks at the host when the stack is as it should be, or gone."""
Turn = Callable[[Place, "Releases", str, int], bool]
"""One phase with what happens at one place; whether there was such a place."""


class Releases:
    """Each is another user data, so that the web server is replaced; other memory, which changes as it runs; and a larger volume, which is copied first."""

    def __init__(self, place: Place, first: int) -> None:
        self._place, self._number = place, first * 1000

    def next(self) -> list[str]:
        """The words of the next ``up``."""
        self._number += 1
        changed = {"breaks": self._number, "memory": 96 + self._number % 2 * 16, "size": 1 + self._number % 1000}
        return self._place.up(*(w for name, value in changed.items() for w in ("--param", f"{name}={value}")))

    def words_of(self, phase: str) -> list[str]:
        """The words that begin a phase."""
        if phase == "update":
            return self.next()
        return {"create": self._place.up, "rollback": self._place.back, "delete": self._place.down}[phase]()


def at_every_place(turn: Turn, place: Place, check: Check, phases: tuple[str, str], part: Part = Part()) -> dict[str, int]:
    """Two phases in turn, with what happens at the first place of each, the second, and so on; everything is right after each.

    Returns how many places there were; the stack is gone afterwards.
    """
    releases, counts = Releases(place, part.first), dict.fromkeys(phases, 0)
    if "update" in phases:
        place.ok(*place.up())
    for number in part.numbers():
        before = place.objects() if "update" in phases else {}
        found = []
        for phase in phases:
            found.append(turn(place, releases, phase, number))
            check(place)
            counts[phase] += found[-1]
        if before:
            kept = {path: id_ for path, id_ in place.objects().items() if path != "web"}
            assert kept == {path: id_ for path, id_ in before.items() if path != "web"}, "an object was made anew for nothing"
        if not any(found):
            break
    if place.there():
        place.ok(*place.down())
    check(place)
    return counts


def killed_once(place: Place, releases: Releases, phase: str, number: int) -> bool:
    """``kill -9`` at one side of one record; the rerun ends in the wanted state by itself."""
    words = releases.words_of(phase)
    killed = place.run(*words, program=KILLED, number=number)
    if killed.returncode == 0:
        return False
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    if place.there():
        place.settle()
    if phase in ("create", "update") or (phase == "delete" and place.there()):  # where nothing was begun; otherwise there is nothing to do
        place.ok(*words)
    return True


def refused_once(place: Place, releases: Releases, phase: str, number: int) -> bool:
    """One host call is refused: everything goes back, or it is said and mended by the next command."""
    before = place.objects() if phase == "update" else {}
    words = releases.words_of(phase)
    done = place.run(*words, program=REFUSED, number=number)
    assert done.returncode in (0, 1, UNTOUCHED), done.stdout + done.stderr
    if done.returncode == 1:
        if phase == "rollback":
            place.ok(*place.back("--continue"))
            return True
        if "rolled back" in done.stdout + done.stderr:
            assert place.objects() == before, "the rollback took other objects"
        place.ok(*words)
    return done.returncode != UNTOUCHED
