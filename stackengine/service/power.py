"""Use cases on the power of servers: it is desired state, so to stop a stack is a revision of it; a reboot changes nothing that is desired."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.instance import Instance
from stackengine.sdk import Cancelled, Host, HostError
from stackengine.service import inventory, prepare
from stackengine.service.access import host_of, servers_of
from stackengine.service.hands import ClosableRunner
from stackengine.service.session import Session
from stackengine.service.slots import Slots
from stackengine.service.types import NotThereError, Preview, ServiceError

Power = Literal["running", "stopped", "suspended"]


def preview_power(session: Session, name: str, paths: Sequence[str], power: Power) -> Preview:
    """The plan to the present revision with another power of ``paths``, or of all servers. The next ``up`` goes by its template again."""
    row, revision = prepare.present(session, name)
    return prepare.prepare_changed(session, row, revision, with_power(revision.desired, _chosen(session, revision.desired, name, paths), power))


def with_power(desired: Desired, paths: Sequence[str], power: Power) -> Desired:
    """``desired`` with the power of these servers."""

    def turned(resource: DesiredResource) -> DesiredResource:
        return replace(resource, properties={**resource.properties, "power": power})

    return replace(desired, resources={p: turned(r) if p in paths else r for p, r in desired.resources.items()})


def _chosen(session: Session, desired: Desired, name: str, paths: Sequence[str]) -> list[str]:
    known = [p for p, r in desired.resources.items() if "power" in (info.properties if (info := session.registry.get(r.type)) else ())]
    for path in paths:
        if path not in known:
            raise NotThereError(f"{name} has no server {path}", hint=did_you_mean(path, known) or f"it has: {', '.join(known) or 'none'}")
    if not known:
        raise NotThereError(f"{name} has no servers", hint=f"stack-run show {name} lists what it has")
    return list(paths) or known


def reboot(session: Session, name: str, paths: Sequence[str]) -> list[str]:
    """Shut servers down and start them again; those that do not run stay as they are. The paths that were restarted."""
    row = prepare.find_stack(session, name)
    chosen = _chosen(session, session.store.revision(row.id, row.revision).desired, name, paths)
    servers = {i.path: (i, host_of(session, row, i)) for i in servers_of(session, row) if i.path in chosen}
    running = {p: (i, h) for p, (i, h) in servers.items() if (d := h.domain_info(str(i.identity["uuid"]))) and d.state == "running"}

    with session.store.ownership(row.id) as lock:
        if not lock.take() or session.store.active(row.id) is not None:
            raise ServiceError(f"an operation runs on {name}, or was left", hint=f"stack-run wait {name}, or: stack-run resume {name}")
        try:
            _restart(session.hands.runner(Slots(inventory.limits(session), session.folder / "locks")), list(running.values()))
        except HostError as error:
            raise ServiceError(f"a server could not be restarted: {error}", hint=error.hint or f"stack-run show {name}") from error
    return list(running)


def _restart(runner: ClosableRunner, guests: list[tuple[Instance, Host]]) -> None:
    """Restart guests, a few at a time, in threads that hold nobody up: neither a host that hangs nor a guest that does not stop keeps us from ending."""
    over = threading.Event()

    def check() -> None:
        if over.is_set():
            raise Cancelled("another server could not be restarted")

    def work(guest: Instance, host: Host) -> Callable[[], None]:
        return lambda: host.domain_reboot(str(guest.identity["uuid"]), float(guest.properties.get("shutdown_timeout", 20)), check)

    waiting, at_work = list(guests), 0
    try:
        while waiting or at_work:
            while waiting and runner.can_run(waiting[0][1].uri, "guest-start"):
                guest, host = waiting.pop(0)
                runner.reserve(guest.id, host.uri, "guest-start")
                runner.submit(guest.id, host.uri, "guest-start", work(guest, host))
                at_work += 1
            for result in runner.wait(1.0):
                at_work -= 1
                runner.free(result.key)
                if result.error is not None:
                    raise result.error
    finally:
        over.set()
        runner.close()
