"""Sockets made inside a private host's network, passed out as file descriptors: the same as root and as a plain user."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

ANSWER_BYTES = 4096


def serve(listener: socket.socket) -> None:
    """Answer one request (inside the namespaces): connect, listen, or ping."""
    client, _ = listener.accept()
    with client:
        client.settimeout(5)
        try:
            request = json.loads(client.recv(ANSWER_BYTES) or b"{}")
            made = _make(request)
        except (OSError, ValueError, KeyError) as error:
            number = error.errno if isinstance(error, OSError) and error.errno else 0
            with contextlib.suppress(OSError):
                client.send(json.dumps({"error": str(error), "errno": number}).encode())
            return
        with contextlib.suppress(OSError):
            if made is None:
                client.send(b'{"ok": true}')
            else:
                with made:
                    socket.send_fds(client, [b'{"ok": true}'], [made.fileno()])


def _make(request: dict[str, Any]) -> socket.socket | None:
    match request["do"]:
        case "connect":
            return socket.create_connection((request["address"], request["port"]), min(30.0, float(request["timeout"])))
        case "listen":
            return socket.create_server((request["address"], request["port"]), family=_family(request["address"]))
        case "routes" | "ping":
            return None
    raise ValueError(f"unknown request {request['do']}")


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Broker:
    """The outside end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _ask(self, patience: float, **request: Any) -> socket.socket | None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(patience + 5)
            client.connect(str(self._path))
            client.send(json.dumps(request).encode())
            data, descriptors, _, _ = socket.recv_fds(client, ANSWER_BYTES, 1)
        answer = json.loads(data or b"{}")
        if "ok" not in answer:
            for descriptor in descriptors:
                os.close(descriptor)
            raise OSError(answer.get("errno", 0), answer.get("error", "the private host went away"))
        return socket.socket(fileno=descriptors[0]) if descriptors else None

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """A connected socket; OSError when nobody answers."""
        made = self._ask(timeout, do="connect", address=address, port=port, timeout=timeout)
        assert made is not None
        made.settimeout(timeout)
        return made

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket."""
        made = self._ask(5, do="listen", address=address, port=port)
        assert made is not None
        return made

    def pid(self) -> int | None:
        """The process id (outside) of process 1, or None when nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.settimeout(5)
                client.connect(str(self._path))
                credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                client.send(b'{"do": "ping"}')
                client.recv(ANSWER_BYTES)
        except OSError:
            return None
        pid: int = struct.unpack("3i", credentials)[0]
        return pid
