"""What a run leaves behind: consoles, logs and chosen files of its guests, its events, a JUnit file of the stack's own steps, all in one folder."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.model.instance import Instance
from stackengine.sdk import Host, HostError
from stackengine.service import stacks
from stackengine.service.access import servers_of
from stackengine.service.session import Session

CONSOLE_BYTES = 256 << 10
FILE_BYTES = 32 << 20
"""Of a guest's file, the first so many; what is longer is cut off, and that is said."""
PIECE = 48 << 10
CLOUD_INIT = ("/var/log/cloud-init.log", "/var/log/cloud-init-output.log")


def collect(session: Session, name: str, folder: Path, wanted: Sequence[str] = ()) -> list[str]:
    """Collect; the names of the files. ``wanted``: ``PATH`` in every guest, or ``SERVER:PATH``. A host or guest that is gone is no error."""
    folder.mkdir(parents=True, exist_ok=True)
    events = list(stacks.events(session, name))
    with (folder / "events.jsonl").open("w", encoding="utf-8") as out:
        for e in events:
            line = {"seq": e.seq, "at": e.at, "kind": e.kind, "path": e.path, "verb": e.verb, "generation": e.generation, "payload": dict(e.payload)}
            out.write(json.dumps(line) + "\n")
    (folder / "junit.xml").write_text(junit(name, events), "utf-8")
    found = ["events.jsonl", "junit.xml"]
    row = session.store.stack(name)
    for instance in servers_of(session, row) if row is not None else ():
        server = re.sub(r"[^A-Za-z0-9._-]+", "-", instance.path).strip(".") or "server"
        try:
            host = session.host(instance.host)
            tail = host.domain_console_tail(str(instance.identity["uuid"]), CONSOLE_BYTES)
        except HostError as error:
            tail, host = f"(the console cannot be had: {error})\n", None
        (folder / f"console-{server}.log").write_text(tail, "utf-8")
        found.append(f"console-{server}.log")
        if host is not None:
            found += _files(host, instance, folder, server, wanted)
    return found


def _files(host: Host, instance: Instance, folder: Path, server: str, wanted: Sequence[str]) -> Iterator[str]:
    """cloud-init's logs where there are any, and what was asked for; a file that cannot be had leaves a note in its place."""
    chosen = [path for of, _, path in (w.rpartition(":") for w in wanted) if of in ("", instance.path)]
    for path in (*CLOUD_INIT, *chosen):
        try:
            data = read_file(host, str(instance.identity["uuid"]), path)
        except HostError as error:
            if path in chosen:
                data = f"({path} cannot be had: {error})\n".encode()
            elif "No such file" in str(error):
                continue
            else:  # no agent answers: then none of the others does
                return
        place = PurePosixPath(server, *(p for p in PurePosixPath(path).parts if p not in ("/", "..")))
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(data)
        yield str(place)


def read_file(host: Host, uuid: str, path: str, limit: int = FILE_BYTES) -> bytes:
    """A file of a guest, by its agent (guest-file-open, guest-file-read); HostError when it cannot be had."""
    handle = host.domain_agent(uuid, {"execute": "guest-file-open", "arguments": {"path": path, "mode": "r"}})
    data = b""
    try:
        while len(data) < limit:
            got: dict[str, Any] = host.domain_agent(uuid, {"execute": "guest-file-read", "arguments": {"handle": handle, "count": PIECE}}, 30)
            data += base64.b64decode(got.get("buf-b64", ""))
            if got.get("eof") or not got.get("count"):
                return data
        return data[:limit] + f"\n(cut off after {limit} bytes)\n".encode()
    finally:
        host.domain_agent(uuid, {"execute": "guest-file-close", "arguments": {"handle": handle}})


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
