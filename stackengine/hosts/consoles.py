"""Guests that are heard over their consoles, on hosts that give them no channel and keep no log: what they say is kept on this machine.

A line ``stack-signal: {JSON}`` is a signal, with the words of the channel's (``hosts/channels.py``); it is taken out of what is kept, as it holds the
handle's token. What a guest said while nobody listened is kept by the hypervisor, as much as that keeps, and read later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from stackengine.hosts import channels
from stackengine.hosts.listener import Receive
from stackengine.sdk import DomainInfo, HostError

CONSOLES = "signals-console"
"""The feature of such a host."""
MARK = b"stack-signal: "
POLL, RESCAN = 0.05, 0.5
"""Seconds, as in ``hosts/channels.py``."""
AGAIN = -2
LONGEST = 16 << 20
"""Bytes that are kept of one guest; then the older half goes."""
MOST = 256 << 10
"""Bytes that are read of one guest at a look, so that one that never stops holds up no other."""
QUIET, LOOK = 0.3, 3.0
"""When somebody asks for the log: seconds without a word after which it is all there, and seconds at most."""


class ConsoleReader:
    """Reads the consoles of the wanted guests while an operation runs; a console that somebody has open is left to them."""

    def __init__(self, host: Any, receive: Receive, guests: Callable[[], set[str]]) -> None:
        self._host, self._receive, self._guests = host, receive, guests
        self._heard: dict[str, Heard] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="consoles", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and let go of the consoles."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def _loop(self) -> None:
        scan_at = 0.0
        while not self._closed.wait(POLL):
            if monotonic() >= scan_at:
                self._open()
                scan_at = monotonic() + RESCAN
            for uuid, heard in list(self._heard.items()):
                if not heard.read(self._receive):
                    del self._heard[uuid]
        for heard in self._heard.values():
            heard.close()

    def _open(self) -> None:
        for uuid in self._guests() - self._heard.keys():
            try:
                info = self._host.domain_info(uuid)
                if info is not None and info.state == "running":
                    self._heard[uuid] = Heard(self._host.listen_console(uuid), self._host.console_record(uuid))
            except HostError:
                continue  # just starting or stopping, or in somebody's hands: looked at again


class Heard:
    """One console that is listened to."""

    def __init__(self, stream: Any, record: Path) -> None:
        self._stream, self._record, self._rest = stream, record, bytearray()
        self.size = 0
        """Bytes that came."""
        record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        record.touch()  # a guest that has said nothing has an empty log, and not none

    def read(self, receive: Receive | None = None) -> bool:
        """Take what is there; False when the console has ended."""
        new, there = bytearray(), True
        try:
            while len(new) < MOST and (data := self._stream.recv(65_536)) != AGAIN:
                if not data:
                    there = False
                    break
                new += data
        except Exception:  # the guest stopped, or somebody took the console: libvirt's stream is gone (libvirtError)
            there = False
        if new or not there:
            self._take(new, receive, last=not there)
        return there

    def _take(self, new: bytes | bytearray, receive: Receive | None, *, last: bool) -> None:
        self._rest += new
        self.size += len(new)
        kept = bytearray()
        *lines, tail = bytes(self._rest).split(b"\n")
        half = not last and len(tail) <= channels.LONGEST and bool(tail) and (MARK in tail or MARK.startswith(tail[-len(MARK) :]))
        self._rest[:] = tail if half else b""  # a signal that is not whole yet
        for line in [*(line + b"\n" for line in lines), *([] if half else [tail])]:
            before, mark, signal = line.partition(MARK)
            kept += before
            if mark and receive is not None:
                channels.deliver(signal, receive)
        if kept:
            keep(self._record, bytes(kept))

    def close(self) -> None:
        """Let go of the console."""
        channels.abort(self._stream)
        self._take(b"", None, last=True)


def keep(record: Path, text: bytes) -> None:
    """Add to what is kept of a guest's console."""
    with record.open("ab") as out:
        out.write(text)
        size = out.tell()
    if size > LONGEST:
        whole = record.read_bytes()
        record.write_bytes(whole[len(whole) // 2 :])


def read_now(host: Any, info: DomainInfo) -> None:
    """Read what a guest has said since, where nobody listens; a signal that is among it was sent when no operation ran, and is for nobody."""
    if info.state != "running":
        return
    try:
        heard = Heard(host.listen_console(info.uuid), host.console_record(info.uuid))
    except HostError:
        return  # an operation listens, or somebody is typing
    end, quiet = monotonic() + LOOK, monotonic() + QUIET
    while monotonic() < min(end, quiet):
        before = heard.size
        if not heard.read():
            return
        if heard.size != before:
            quiet = monotonic() + QUIET
        time.sleep(POLL)
    heard.close()
