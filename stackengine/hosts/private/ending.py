"""Guests of a private host are asked to shut down before it ends: all at once, with one limit for all."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

LOOK_SECONDS = 0.1
AT_ONCE = 4
"""libvirtd answers five calls at a time on one connection."""


def shut_guests_down(uri: str, seconds: float) -> list[str]:
    """Ask every running guest by agent, else by ACPI; return the names of those that still run after ``seconds``. A silent libvirtd counts as none."""
    left: list[str] = []
    thread = threading.Thread(target=_body, args=(uri, seconds, left), name="guests-down", daemon=True)
    thread.start()
    thread.join(seconds + 10)
    return left


def _body(uri: str, seconds: float, left: list[str]) -> None:
    import libvirt

    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    try:
        connection = libvirt.open(uri)
        with ThreadPoolExecutor(AT_ONCE) as asking:  # an agent that hangs costs seconds
            asked = list(asking.map(_ask, connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)))
        limit = time.monotonic() + seconds
        waiting = [d for d in asked if d is not None]
        while waiting and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)
            waiting = [d for d in waiting if _runs(d)]
        left.extend(d.name() for d in waiting)
        connection.close()
    except libvirt.libvirtError:
        return  # libvirtd is gone or going: what is left ends with process 1


def _ask(domain: Any) -> Any | None:
    """The domain when it was asked in one way or the other; None when it cannot hear (it is paused, or has neither)."""
    import libvirt

    for flag in (libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN):
        try:
            domain.shutdownFlags(flag)
        except libvirt.libvirtError:
            continue
        return domain
    return None


def _runs(domain: Any) -> bool:
    import libvirt

    try:
        return bool(domain.isActive())
    except libvirt.libvirtError:
        return False
