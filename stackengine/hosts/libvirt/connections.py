"""A few connections per host: libvirtd answers five calls at a time on each, so calls are spread, and each is timed and classified."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import libvirt

from stackengine.hosts.libvirt.errors import translate
from stackengine.hosts.retrying import HangingError, again_and_again
from stackengine.sdk import HostError, UnreachableError

T = TypeVar("T")
log = logging.getLogger("stackengine.hosts")

CONNECTIONS, CALLS_EACH = 4, 4
"""Connections per host, calls in flight on each (libvirtd's max_client_requests is 5)."""
KEEPALIVE, KEEPALIVE_OVER_SSH = (5, 3), (5, 12)
"""Seconds between keepalive messages, and how many may stay unanswered: over ssh as long as an open may take, else a host that is only busy with the
start of a guest counts as gone in the middle of it."""
LOGIN = frozenset({"esx", "vpx", "gsx", "hyperv"})
OPEN_SECONDS, OVER_SSH_SECONDS = 20.0, 60.0
"""How long an open may take; over ssh, several at once make a slow host busy."""
CALL_SECONDS = 180.0
"""How long one call may take before its host counts as hanging (a dead NFS pool makes libvirtd block while it still answers keepalives)."""
_COPYING = ("virStorageVolUpload", "virStorageVolDownload", "virStorageVolCreateXMLFrom")
_MEMORY = ("virDomainManagedSave", "virDomainCreate", "virDomainSnapshotCreateXML", "virDomainRestoreFlags")
UNHURRIED = frozenset((*_COPYING, *_MEMORY, "virStorageVolWipe"))
"""Calls that copy or write over data: they take as long as they take, and look themselves whether they may go on."""

_events_lock = threading.Lock()
_events_running = False


def start_events() -> None:
    """Start the process's one event thread; keepalive and callbacks need it, and it must be there before the first open."""
    global _events_running  # noqa: PLW0603  (libvirt has one event loop per process)
    with _events_lock:
        if _events_running:
            return
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        libvirt.virEventRegisterDefaultImpl()

        def loop() -> None:
            while True:
                libvirt.virEventRunDefaultImpl()

        threading.Thread(target=loop, name="libvirt-events", daemon=True).start()
        _events_running = True


def opened(uri: str) -> Any:
    """A connection; drivers that log in by name and password (vSphere) find them in libvirt's auth.conf (https://libvirt.org/auth.html), nobody is asked."""
    if uri.partition(":")[0] in LOGIN:
        return libvirt.openAuth(uri, [[libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE], lambda _wanted, _data: -1, None], 0)
    return libvirt.open(uri)


class Connections:
    """Opens connections as they are needed and hands out the least busy one."""

    def __init__(self, name: str, uri: str) -> None:
        self._name, self.uri = name, uri
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)
        self._open: list[Any] = []
        self._busy: dict[int, int] = {}
        self._opening = 0
        self._reached = False

    def call(self, name: str, work: Callable[[Any], T], *, retry: bool = True) -> T:
        """Run ``work`` on a connection; libvirt's errors come out as HostError, transient ones are tried again."""
        return again_and_again(self._once, name, work, reached=lambda: self._reached) if retry else self._once(name, work)

    def _once(self, name: str, work: Callable[[Any], T]) -> T:
        connection = self._take(name)
        start = time.perf_counter()
        try:
            result = self._in_time(name, work, connection)
        except UnreachableError:
            self._drop(connection)
            raise
        except libvirt.libvirtError as error:
            found = translate(error, self._name, name)
            log.debug("%s %s: %s (%d) after %.1f ms", self._name, name, found, found.code, (time.perf_counter() - start) * 1e3)
            if isinstance(found, UnreachableError):
                self._drop(connection)
            raise found from error
        else:
            log.debug("%s %s: %.1f ms", self._name, name, (time.perf_counter() - start) * 1e3)
            return result
        finally:
            self._give_back(connection)

    def _in_time(self, name: str, work: Callable[[Any], T], connection: Any) -> T:
        """Run a call in a daemon thread, so that one that never returns holds up its own action and nothing else, not even the end of the process."""
        if name in UNHURRIED:
            return work(connection)
        answer: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def body() -> None:
            try:
                answer.put((work(connection), None))
            except BaseException as error:  # handed on to the caller, whatever it is
                answer.put((None, error))

        threading.Thread(target=body, name="libvirt-call", daemon=True).start()
        try:
            result, wrong = answer.get(timeout=CALL_SECONDS)
        except queue.Empty:
            hint = f"a storage pool that hangs? stack-run hosts doctor {self._name}"
            raise HangingError(f"it did not answer within {CALL_SECONDS:g} s", host=self._name, call=name, hint=hint) from None
        if wrong is not None:
            raise wrong
        return cast(T, result)

    def _take(self, call: str) -> Any:
        with self._free:
            while True:
                ready = [c for c in self._open if self._busy[id(c)] < (1 if len(self._open) + self._opening < CONNECTIONS else CALLS_EACH)]
                if ready:
                    connection = min(ready, key=lambda c: self._busy[id(c)])
                    self._busy[id(connection)] += 1
                    return connection
                if len(self._open) + self._opening < CONNECTIONS:
                    self._opening += 1
                    break
                self._free.wait()
        try:
            connection = self._connect(call)
        finally:
            with self._free:
                self._opening -= 1
                self._free.notify_all()
        with self._free:
            self._open.append(connection)
            self._reached = True
            self._busy[id(connection)] = 1
            self._free.notify_all()
        return connection

    def _connect(self, call: str) -> Any:
        """Open in a daemon thread: ``open`` against a silent server never returns, and keepalive cannot help there."""
        start_events()
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        over_ssh = "ssh" in self.uri.partition("://")[0]

        def body() -> None:
            try:
                connection = opened(self.uri)
                try:
                    connection.setKeepAlive(*(KEEPALIVE_OVER_SSH if over_ssh else KEEPALIVE))
                except libvirt.libvirtError:
                    log.debug("%s: no keepalive on this connection", self._name)
                answer.put(connection)
            except libvirt.libvirtError as error:
                answer.put(error)

        threading.Thread(target=body, name="libvirt-open", daemon=True).start()
        seconds = OVER_SSH_SECONDS if over_ssh else OPEN_SECONDS
        try:
            found = answer.get(timeout=seconds)
        except queue.Empty:
            hint = f"stack-run hosts doctor {self._name}"
            raise UnreachableError(f"no answer within {seconds:g} s", host=self._name, call="virConnectOpen", hint=hint) from None
        if isinstance(found, libvirt.libvirtError):
            wrong: HostError = translate(found, self._name, f"virConnectOpen for {call}")
            raise UnreachableError(str(wrong), code=wrong.code, host=self._name, call="virConnectOpen", hint=f"stack-run hosts doctor {self._name}") from found
        return found

    def _give_back(self, connection: Any) -> None:
        with self._free:
            if id(connection) in self._busy:
                self._busy[id(connection)] -= 1
            self._free.notify()

    def _drop(self, connection: Any) -> None:
        with self._free:
            if connection in self._open:
                self._open.remove(connection)

    def close(self) -> None:
        """Close all connections."""
        with self._free:
            opened, self._open = self._open, []
        for connection in opened:
            try:
                connection.close()
            except libvirt.libvirtError as error:
                log.debug("%s close: %s", self._name, error)
