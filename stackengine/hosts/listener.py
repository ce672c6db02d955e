"""Signals of real guests: HTTP on the gateways of their networks, and the virtio-serial channel on hosts elsewhere.

Guests are not trusted: connections are counted, by guest and in all, and each has so much time and so many bytes. A guest that takes up its
share has no part of the others'.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from time import monotonic
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.engine.signals import FULL, MAX_BODY, PORT
from stackengine.sdk import Host, HostError

RESCAN = 0.3
"""Seconds between two looks for networks that have come up since."""
CONNECTIONS, OF_ONE = 256, 16
"""At once on a gateway, and of one address; what is more is hung up on."""
SECONDS = 20.0
"""For a whole request and its answer."""
HEAD = 64 << 10
"""Bytes of a request before its body."""
_PATH = re.compile(r"^/v1/signal/([A-Za-z0-9._-]+)/([A-Za-z0-9]+)$")
Receive = Callable[[str, str, bytes], str | None]
"""(handle, token, body) -> what is wrong, or None."""


class SignalListener:
    """Listens on port 9117 of every gateway of the wanted networks as soon as it is there."""

    def __init__(self, host: Host, receive: Receive, networks: Callable[[], set[str]]) -> None:
        self._host, self._receive, self._networks = host, receive, networks
        self._servers: dict[str, HTTPServer] = {}
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._loop, name="signal-listener", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        for server in list(self._servers.values()):
            threading.Thread(target=server.shutdown, daemon=True).start()
            server.server_close()

    def _loop(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(HostError):
                for address in self._gateways():
                    if address not in self._servers and not self._closed.is_set():
                        self._open(address)
            self._closed.wait(RESCAN)

    def _gateways(self) -> list[str]:
        wanted = self._networks()
        found = []
        for uuid in wanted:
            info = self._host.network_info(uuid)
            if info is not None and info.active:
                found += [ip.get("address", "") for ip in ET.fromstring(info.xml).findall("ip")]
        return found

    def _open(self, address: str) -> None:
        listen: Any = getattr(self._host, "listen", None)
        if listen is None:
            return
        try:
            listening = listen(address, PORT)
        except OSError:
            return  # the bridge is not up yet, or another operation of this host listens there: looked at again
        server = serving(listening, self._receive)
        self._servers[address] = server


def serving(listening: socket.socket, receive: Receive) -> HTTPServer:
    """A server of signals on a socket that listens: it serves until its ``shutdown``."""
    server = _Server(("", PORT), _handler(receive), bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_activate()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="signals", daemon=True).start()
    return server


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = CONNECTIONS
    """Guests of a stack may signal in one moment."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._open: dict[socket.socket, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Count a connection in; False, and it is closed, where there are too many."""
        peer = str(client_address[0])
        with self._lock:
            if len(self._open) >= CONNECTIONS or Counter(p for p, _ in self._open.values())[peer] >= OF_ONE:
                return False
            self._open[request] = (peer, monotonic() + SECONDS)
            return True

    def service_actions(self) -> None:
        """Hang up on what takes too long, however slowly it goes on; several times a second."""
        with self._lock:
            late = [request for request, (_, end) in self._open.items() if monotonic() > end]
        for request in late:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Count it out."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A guest that hangs up is no event."""


class _Bounded:
    """A request that is read so far and no farther; then it is at its end."""

    def __init__(self, file: Any, left: int) -> None:
        self._file, self._left = file, left

    def read(self, size: int) -> bytes:
        """So many bytes, or what is left."""
        return self._counted(self._file.read(min(size, self._left)))

    def readline(self, size: int = HEAD) -> bytes:
        """A line, or its beginning."""
        return self._counted(self._file.readline(min(size, self._left)))

    def close(self) -> None:
        """Close what is read."""
        self._file.close()

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data


def _handler(receive: Receive) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """POST or PUT of a signal."""

        timeout = SECONDS

        def setup(self) -> None:
            """Read no more than a signal can be."""
            super().setup()
            self.rfile = _Bounded(self.rfile, HEAD + MAX_BODY)  # type: ignore[assignment]

        def do_POST(self) -> None:
            """Take a signal."""
            match = _PATH.match(self.path.split("?")[0])
            said = self.headers.get("content-length") or "0"
            if match is None or not said.isdecimal() or int(said) > MAX_BODY:
                self._answer(404 if match is None else 413)
                return
            body = self.rfile.read(int(said))
            if len(body) < int(said):
                self._answer(400, "the signal is not whole")
                return
            problem = receive(match.group(1), match.group(2), body)
            self._answer(200 if problem is None else 429 if problem == FULL else 400 if "status" in problem else 403, problem or "ok")

        do_PUT = do_POST  # noqa: N815

        def _answer(self, code: int, text: str = "") -> None:
            body = (text + "\n").encode()
            self.send_response(code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Signals are in the event log."""

    return Handler
