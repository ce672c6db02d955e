"""Signals over virtio-serial: JSON lines on each guest's channel, read through libvirt; the way in on remote hosts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from stackengine.engine.signals import CHANNEL, MAX_BODY
from stackengine.hosts.listener import Receive
from stackengine.sdk import HostError

POLL = 0.05
"""Seconds between two looks at what guests wrote: that is in this process's memory by then, and costs no call."""
RESCAN = 0.5
"""Seconds between two looks for guests that have started since."""
LONGEST = 2 * MAX_BODY
"""Bytes of a line that can be a signal; a longer one is dropped."""
PIECES = 16
"""Pieces of 4 KiB that are read of one guest at a look, so that one that never stops holds up no other."""
_AGAIN = -2
"""What a non-blocking stream returns when there is nothing to read now (virStreamRecv)."""


class ChannelReader:
    """Reads the channels of the wanted guests. What a guest wrote before anybody listened is kept by the hypervisor and read later."""

    def __init__(self, host: Any, receive: Receive, guests: Callable[[], set[str]]) -> None:
        self._host, self._receive, self._guests = host, receive, guests
        self._streams: dict[str, tuple[Any, bytearray]] = {}
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._loop, name="signal-channels", daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()

    def _loop(self) -> None:
        scan_at = 0.0
        while not self._closed.wait(POLL):
            if monotonic() >= scan_at:
                self._open()
                scan_at = monotonic() + RESCAN
            for uuid in list(self._streams):
                self._read(uuid)
        for stream, _ in self._streams.values():
            abort(stream)

    def _open(self) -> None:
        for uuid in self._guests() - self._streams.keys():
            try:
                info = self._host.domain_info(uuid)
                if info is not None and info.state == "running":
                    self._streams[uuid] = (self._host.open_channel(uuid, CHANNEL), bytearray())
            except HostError:
                continue  # it is just starting or stopping: looked at again

    def _read(self, uuid: str) -> None:
        stream, rest = self._streams[uuid]
        try:
            for _ in range(PIECES):
                data = stream.recv(4096)
                if data == _AGAIN:
                    break
                if not data:
                    del self._streams[uuid]
                    break
                rest += data
        except Exception:  # the guest stopped: libvirt's stream is gone (libvirtError), and is opened again when it runs
            self._streams.pop(uuid, None)
        *lines, left = bytes(rest).split(b"\n")
        rest[:] = left if len(left) <= LONGEST else b""  # what is left of a line that was too long is no JSON
        for line in lines:
            if line.lstrip().startswith(b"{"):
                deliver(line, self._receive)


def deliver(line: bytes, receive: Receive) -> None:
    """Hand on a signal that came as a line of JSON; anything else is nothing to us."""
    try:
        found = json.loads(line)
        handle, token = str(found.pop("handle")), str(found.pop("token"))
    except (ValueError, KeyError, AttributeError):
        return
    receive(handle, token, json.dumps(found).encode())


def abort(stream: Any) -> None:
    """Close a stream, whatever its other end did."""
    try:
        stream.abort()
    except Exception:  # already closed by the guest's end
        return
