"""Signals of real guests: HTTP on the gateways of their networks, and the virtio-serial channel on hosts elsewhere."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.engine.signals import MAX_BODY, PORT
from stackengine.sdk import Host, HostError

RESCAN = 0.3
"""Seconds between two looks for networks that have come up since."""
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
            socket = listen(address, PORT)
        except OSError:
            return  # the bridge is not up yet, or another operation of this host listens there: looked at again
        server = _Server((address, PORT), _handler(self._receive), bind_and_activate=False)
        server.socket.close()
        server.socket = socket
        server.server_activate()
        self._servers[address] = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name=f"signals-{address}", daemon=True).start()


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A guest that hangs up is no event."""


def _handler(receive: Receive) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """POST or PUT of a signal."""

        timeout = 20

        def do_POST(self) -> None:
            """Take a signal."""
            match = _PATH.match(self.path.split("?")[0])
            length = int(self.headers.get("content-length") or 0)
            if match is None or not 0 <= length <= MAX_BODY:
                self._answer(404 if match is None else 413)
                return
            problem = receive(match.group(1), match.group(2), self.rfile.read(length))
            self._answer(200 if problem is None else 400 if "status" in problem else 403, problem or "ok")

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
