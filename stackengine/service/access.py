"""Which servers a stack has, the hosts and networks that they are reached through, and what their consoles say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stackengine.model.instance import Instance
from stackengine.sdk import Host
from stackengine.service import grounds, prepare
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, ServiceError
from stackengine.store.store import StackRow

FOLLOW_EVERY = 0.2
"""Seconds between two looks at what a guest wrote."""


def servers_of(session: Session, row: StackRow) -> list[Instance]:
    """The servers of a stack, the newest generation of each, by path."""
    found = [i for i in session.store.recorded(row.id).instances.values() if "uuid" in i.identity and "nics" in i.identity]
    newest = {i.path: i for i in sorted(found, key=lambda i: (i.sure, i.generation))}
    return [newest[path] for path in sorted(newest)]


def host_of(session: Session, row: StackRow, instance: Instance) -> Host:
    """The host that an instance is on; ServiceError with a hint when it cannot be had."""
    return prepare.open_host_of(session, row) if instance.host in ("", row.host) else grounds.opened(session, instance.host)


def reach_of(session: Session, row: StackRow, instance: Instance) -> Any:
    """The host whose network reaches a server: that of its first interface's network, wherever the server itself is."""
    networks = [nic.get("network") for nic in instance.identity["nics"]]
    found = next((i for i in session.store.recorded(row.id).instances.values() if networks and i.physical_id == networks[0]), instance)
    return host_of(session, row, found)


def find_server(session: Session, stack: str, server: str) -> tuple[StackRow, Instance, Any]:
    """(stack, instance, host) of a server; ServiceError naming those that there are."""
    row = prepare.find_stack(session, stack)
    known = {i.path: i for i in servers_of(session, row)}
    if server not in known:
        raise NotThereError(f"{stack} has no server {server}", hint=f"it has: {', '.join(known) or 'none'}")
    host: Any = host_of(session, row, known[server])
    if getattr(host, "simulated", False):
        raise ServiceError(f"{server} is simulated: there is no guest to reach", hint="use private:// or a libvirt host")
    return row, known[server], host


def logs(session: Session, stack: str, server: str, follow: bool = False) -> Iterator[str]:
    """Lines of the console log; ``follow`` waits for more until interrupted."""
    _, instance, host = find_server(session, stack, server)
    file: Path | None = host.console_file(instance.identity["uuid"])
    if file is None:
        raise ServiceError(f"the console log of {server} is not on this machine", hint=f"stack-run console {stack} {server}")
    with file.open("r", encoding="utf-8", errors="replace") as log:
        while True:
            line = log.readline()
            if line:
                yield line.rstrip("\r\n") + "\n"
            elif follow:
                time.sleep(FOLLOW_EVERY)
            else:
                return


def console(session: Session, stack: str, server: str) -> Any:
    """The open serial console of a server: ``recv``, ``send`` and ``abort`` bytes."""
    _, instance, host = find_server(session, stack, server)
    return host.open_console(instance.identity["uuid"])
