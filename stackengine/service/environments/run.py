"""``env run``: an environment for as long as one command runs; what it leaves behind is collected before it goes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET

from stackengine.model.desired import DesiredOutput
from stackengine.model.values import reveal
from stackengine.sdk import HostError
from stackengine.service import stacks
from stackengine.service.environments import up
from stackengine.service.environments.life import LEASE
from stackengine.service.session import Session
from stackengine.service.types import ServiceError, Settings

CONSOLE_BYTES = 256 << 10


class Lease:
    """Keeps the lease of a run alive from a thread; when this process dies, it runs out and the reaper removes the environment."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name, self._over = settings, name, threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def _renew(self) -> None:
        while not self._over.wait(LEASE / 4):
            with Session(self._settings) as session:
                row = session.store.stack(self._name)
                if row is None:
                    return
                up.change(session, row, lambda life: replace(life, run_until=time.time() + LEASE))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(10)


def variables(name: str, outputs: Mapping[str, DesiredOutput], file: Path) -> dict[str, str]:
    """What the command gets: ``STACK_OUTPUT_URL`` for the output ``url``, the stack's name, and a file with all of them as JSON."""
    found = {"STACKENGINE_ENVIRONMENT": name, "STACKENGINE_OUTPUTS": str(file)}
    for key, output in outputs.items():
        value = reveal(output.value)
        found[f"STACK_OUTPUT_{re.sub(r'[^A-Za-z0-9]+', '_', key).upper()}"] = value if isinstance(value, str) else json.dumps(value)
    return found


def write_outputs(outputs: Mapping[str, DesiredOutput], file: Path) -> None:
    """All outputs as JSON, in a file for this user only, as it holds secrets too."""
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump({k: reveal(o.value) for k, o in outputs.items()}, out, indent=2)


def command(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command with more variables; its exit code (as a shell gives it: 128 + signal), 127 where it is not there."""
    try:
        done = subprocess.run(list(words), check=False, env={**os.environ, **environment})
    except FileNotFoundError:
        raise ServiceError(f"{words[0]} is not there", hint="the command after -- is run as it stands, without a shell", exit_code=125) from None
    except PermissionError:
        raise ServiceError(f"{words[0]} cannot be run", exit_code=125) from None
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def collect(session: Session, name: str, folder: Path) -> list[str]:
    """Consoles, events, and a JUnit file of the stack's own steps, in one folder; the names of the files. A host that is gone is no error."""
    folder.mkdir(parents=True, exist_ok=True)
    events = list(stacks.events(session, name))
    with (folder / "events.jsonl").open("w", encoding="utf-8") as out:
        for e in events:
            line = {"seq": e.seq, "at": e.at, "kind": e.kind, "path": e.path, "verb": e.verb, "generation": e.generation, "payload": dict(e.payload)}
            out.write(json.dumps(line) + "\n")
    (folder / "junit.xml").write_text(junit(name, events), "utf-8")
    found = ["events.jsonl", "junit.xml"]
    row = session.store.stack(name)
    for instance in session.store.recorded(row.id).instances.values() if row is not None else ():
        if "nics" not in instance.identity:
            continue
        file = f"console-{re.sub(r'[^A-Za-z0-9._-]+', '-', instance.path)}.log"
        try:
            tail = session.host(instance.host).domain_console_tail(str(instance.identity["uuid"]), CONSOLE_BYTES)
        except HostError as error:
            tail = f"(the console cannot be had: {error})\n"
        (folder / file).write_text(tail, "utf-8")
        found.append(file)
    return found


def junit(name: str, events: Sequence[Any]) -> str:
    """One test case for every action: how long it took, and why it failed."""
    begun: dict[tuple[str, str, int], float] = {}
    suite = ET.Element("testsuite", name=f"stack {name}")
    failures = 0
    for event in events:
        key = (event.verb, event.path, event.generation)
        if event.kind == "action.begin":
            begun[key] = event.at
        elif event.kind in ("action.ready", "action.done", "action.failed") and key in begun:
            took = event.at - begun.pop(key)
            case = ET.SubElement(suite, "testcase", classname=f"stack.{name}", name=f"{event.verb} {event.path}", time=f"{took:.3f}")
            if event.kind == "action.failed":
                failures += 1
                error = dict(event.payload.get("error", {}))
                failed = ET.SubElement(case, "failure", message=_clean(error.get("message", "")))
                failed.text = _clean(error.get("tail", ""))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _clean(text: Any) -> str:
    """Text without the characters that XML cannot hold (consoles print them)."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "", str(text))
