"""The metadata service of a private host: HTTP at 169.254.169.254, as OpenStack's and EC2's guests know it. Runs inside the host's namespaces.

Process 1 starts it when the first server asks for it, and it ends with the host. A guest gets its own data only (:mod:`.neighbours`). What is served
stands in one file for each guest, which is read again when it changes.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from stackengine.hosts.private import neighbours
from stackengine.hosts.private.guest_data import MAX_SECONDS, Entry, Tokens, answer, guest_at

ADDRESS, PORT = "169.254.169.254", 80
AT_ONCE = 64
"""Connections at a time; more are closed."""
PATIENCE = 10
"""Seconds that a guest may take for its request."""
TOKEN, SECONDS = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"  # names of headers


class Entries:
    """What is served, by guest."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], Entry]] = {}

    def now(self) -> dict[str, Entry]:
        """The entries as they are now."""
        with self._lock:
            there = {f.stem: f for f in self._folder.glob("*.json")}
            self._known = {k: v for k, v in self._known.items() if k in there}
            for guest, file in there.items():
                try:
                    stamp = (file.stat().st_mtime_ns, file.stat().st_ino)
                    if guest not in self._known or self._known[guest][0] != stamp:
                        self._known[guest] = (stamp, json.loads(file.read_text()))
                except FileNotFoundError:  # it goes at this moment
                    self._known.pop(guest, None)
            return {guest: entry for guest, (_, entry) in self._known.items()}


class Service(ThreadingMixIn, HTTPServer):
    """The server; ``seen`` tells who has an address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], folder: Path, seen: Callable[[str], Iterable[tuple[str, bool]]] = neighbours.seen) -> None:
        self.entries, self.seen = Entries(folder), seen
        self.tokens, self._free = Tokens(secrets.token_bytes(32)), threading.BoundedSemaphore(AT_ONCE)
        super().__init__(place, Handler)

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of its own name, which nobody answers in there."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread, unless there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A guest that hangs up is no event."""


class Handler(BaseHTTPRequestHandler):
    """GET of what is served, and PUT of a token."""

    server: Service
    timeout = PATIENCE
    server_version, sys_version = "stackengine", ""

    def do_GET(self) -> None:
        """A file, or a listing."""
        guest, entry = self._guest()
        path = self.path.split("?")[0]
        if entry is None:
            self._say(404, "nobody is known at this address\n")
        elif path.split("/")[1:2] != ["openstack"] and not self._lets(guest, entry, self.headers.get(TOKEN)):
            self._say(401, "a token is needed: PUT /latest/api/token\n")
        else:
            text = answer(entry["files"], path)
            self._say(404 if text is None else 200, "" if text is None else text, "application/json" if path.endswith(".json") else "text/plain")

    do_HEAD = do_GET  # noqa: N815

    def _lets(self, guest: str, entry: Entry, token: str | None) -> bool:
        """EC2's first version needs no token, where it is allowed; a token that is given must hold."""
        if token is None:
            return str(entry["tokens"]) != "required"
        return self.server.tokens.holds(guest, token, time.time())

    def do_PUT(self) -> None:
        """A token (EC2 user guide, IMDSv2: not for requests that were passed on)."""
        guest, entry = self._guest()
        seconds = self.headers.get(SECONDS, "")
        if entry is None or self.path.rstrip("/") != "/latest/api/token":
            self._say(404, "")
        elif self.headers.get("x-forwarded-for") is not None:
            self._say(403, "")
        elif not seconds.isdecimal() or not 1 <= int(seconds) <= MAX_SECONDS:
            self._say(400, f"{SECONDS}: 1 to {MAX_SECONDS}\n")
        else:
            self._say(200, self.server.tokens.made(guest, int(seconds), time.time()), extra={SECONDS: seconds})

    def _guest(self) -> tuple[str, Entry | None]:
        entries = self.server.entries.now()
        address = str(self.client_address[0])
        guest = guest_at(address, self.server.seen(address), entries)
        return guest, entries.get(guest)

    def _say(self, code: int, text: str, kind: str = "text/plain", extra: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(code)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


def main() -> None:
    """Argument: the folder of the entries."""
    os.umask(0o077)
    subprocess.run(["ip", "addr", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
    Service((ADDRESS, PORT), Path(sys.argv[1])).serve_forever(poll_interval=3600)


if __name__ == "__main__":
    main()
