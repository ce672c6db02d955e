"""A server's screen: VNC on loopback of its host, carried to a port of this machine, with a password that counts while somebody looks at it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from stackengine.service import access, forward
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

SECONDS = 3600
"""How long a password counts at most: one that a killed command left behind ends by itself."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a screen is to be seen; ``password`` empty: the template's own."""

    server: str
    address: str
    port: int
    password: str


def show(session: Session, stack: str, server: str, listen: int, tell: Callable[[Screen], None], failed: forward.Tell) -> None:
    """Carry a screen to a loopback port (0: a free one) until interrupted; ``tell`` gets the place and the password, which nothing else is told, and
    ``failed`` why somebody could not be carried.

    A server whose template names a password keeps it; every other one has none, and lets nobody in, but while this runs.
    """
    _, instance, host = access.find_server(session, stack, server)
    uuid = str(instance.identity["uuid"])
    port = host.screen_port(uuid)
    if port is None:
        raise ServiceError(f"{server} has no screen, or does not run", hint="vnc: {} in its properties gives it one")
    given = (instance.properties.get("vnc") or {}).get("password")
    password = "" if given else secrets.token_urlsafe(6)
    try:
        if password:
            host.screen_password(uuid, password, SECONDS)
        with forward.listening(listen) as waiting:
            tell(Screen(server, "127.0.0.1", waiting.getsockname()[1], password))
            forward.serve_forever(waiting, host, "127.0.0.1", port, failed)
    finally:
        if password:
            host.screen_password(uuid, "", 0)
