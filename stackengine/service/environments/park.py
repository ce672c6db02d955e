"""Parking: all guests of an environment stand still at one instant, their memory goes to disk, and the host's memory and processors are free again.

The tags say it first, so that whoever is killed in between is finished by the next ``park`` or ``wake``: both bring any guest, running, suspended
or saved, to where it should be.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stackengine.sdk import Host, HostError
from stackengine.service import stacks
from stackengine.service.access import servers_of
from stackengine.service.environments import up
from stackengine.service.environments.life import Life
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackengine.store.store import StackRow

AT_ONCE = 4
"""Guests that are saved or read back at a time: both are bound by the disk."""


def park(session: Session, found: up.Environment) -> int:
    """Suspend every guest, then save each; how many there are. ServiceError while an operation runs, or where the host cannot."""
    with still(session, found.row):
        host = _host(session, found.row)
        if "save" not in host.profile.features:
            raise ServiceError(f"{found.row.host} cannot save the memory of guests", hint=f"stack-run env down {found.row.name}")
        uuids = _running(session, found.row)
        up.change(session, found.row, lambda life: replace(life, parked_at=life.parked_at or time.time(), turning=True))
        for_each(uuids, host.domain_suspend)
        for_each(uuids, host.domain_save)
        up.change(session, found.row, lambda life: replace(life, turning=False))
        return len(uuids)


def wake(session: Session, found: up.Environment) -> int:
    """Read every guest's memory back, then let all go on at once; how many there are."""
    with still(session, found.row):
        host, uuids = _host(session, found.row), _running(session, found.row)
        up.change(session, found.row, lambda life: replace(life, turning=life.parked_at is not None))
        for_each(uuids, host.domain_start)
        for_each(uuids, host.domain_resume)
        now = time.time()
        up.change(session, found.row, lambda life: replace(life, parked_at=None, turning=False, active_at=now, traffic=0))
        return len(uuids)


def traffic(session: Session, row: StackRow) -> int:
    """Bytes that the guests' interfaces have moved since they were started."""
    host = _host(session, row)
    return sum(host.domain_traffic(uuid) for uuid in _running(session, row))


def noticed(life: Life, moved: int, now: float) -> Life:
    """The life after a look at its traffic: what moves less than a host that nobody uses (leases, neighbours) counts as still."""
    since = moved - life.traffic if moved >= life.traffic else moved  # a guest that started anew counts from 0
    passed = max(0.0, now - (life.looked_at or now))
    active = life.active_at is None or since > max(IDLE_BYTES, IDLE_RATE * passed)
    return replace(life, traffic=moved, looked_at=now, active_at=now if active else life.active_at)


IDLE_BYTES, IDLE_RATE = 2048, 64.0
"""Bytes, and bytes per second, up to which an environment counts as idle."""


def for_each(uuids: list[str], call: Callable[[str], Any]) -> list[Any]:
    """Call for all at once; the first error is raised when all have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [f.result() for f in [pool.submit(call, u) for u in uuids]]


def _running(session: Session, row: StackRow) -> list[str]:
    """The guests that their template wants running."""
    return [str(i.identity["uuid"]) for i in servers_of(session, row) if i.properties.get("power") != "stopped" and i.status not in ("stopped", "released")]


def _host(session: Session, row: StackRow) -> Host:
    try:
        return session.host(row.host)
    except HostError as error:
        raise ServiceError(f"the host {row.host} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {row.host}") from error


@contextmanager
def still(session: Session, row: StackRow) -> Iterator[None]:
    """While nobody works on the stack, and until we are done nobody else does."""
    with session.store.ownership(row.id) as lock:
        if not lock.take():
            raise ServiceError(f"an operation runs on {row.name}", hint=f"stack-run env events {row.name} --follow")
        state = stacks.state_of(session, session.store.stack_of(row.id))[0]
        if session.store.active(row.id) is not None:
            raise ServiceError(f"{row.name} was left {state}", hint=f"stack-run resume {row.name}")
        yield
