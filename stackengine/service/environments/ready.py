"""One private host is kept ready while there are environments that have one of their own, so that the next of them need not wait for its host."""

from __future__ import annotations

from stackengine.sdk import HostError
from stackengine.service import owner
from stackengine.service.environments.life import life_of
from stackengine.service.session import Session
from stackengine.service.types import ServiceError


def tend(session: Session) -> None:
    """The reaper's part: have one ready where one is of use and the owner of the machine does not mind; else end it. ServiceError when it does not start."""
    from stackengine.hosts import private

    there = set(private.names(session.folder))
    used = any(s.name in there and s.host == f"private://{s.name}" and life_of(s.tags) is not None for s in (session.store.stacks() if there else ()))
    try:
        if used and owner.keeps_ready():
            private.ready.keep(session.folder)
        else:
            private.ready.end(session.folder)
    except HostError as error:
        raise ServiceError(f"no host can be kept ready: {error}", hint=error.hint or f"ready_hosts: 0 in {owner.places()[-1]}") from error


def next_one(session: Session, name: str) -> None:
    """After the environment has come up: where its host is the one that was ready, the next one is started, and nobody waits for it."""
    from stackengine.hosts import private

    if private.ready.was_taken(name, session.folder) and owner.keeps_ready():
        private.ready.keep_soon(session.folder)
