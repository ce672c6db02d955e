"""Sockets made inside a private host's network, passed out as file descriptors: the same as root and as a plain user.

One request per connection, a JSON object in one packet: ``connect``, ``listen``; ``stay``, which is answered and then kept open until
process 1 ends, so that whoever must not outlive the host can watch it; ``dismiss``, which hangs up on those that stay under a name; and
``gone``, which is answered when a network device is not there any more; ``forward``, by which the host's table of forwarding becomes the kernel's;
``metadata``, by which process 1 starts the metadata service of a folder (of none: only whether it could); ``rejoin``, by which guests come back to
a bridge that was made anew; ``switch``, by which the host gets its virtual switch; and ``rename``, by which one that was kept ready gets its name.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stackengine.hosts.private import forwarding, mounts, overlay, switch
from stackengine.hosts.processes import LOOK_SECONDS

PACKET_BYTES = 4096
REQUEST_SECONDS = 5.0
CONNECT_SECONDS = 60.0
"""The longest that one attempt to connect may take."""
OK = b'{"ok": true}'


def serve(client: socket.socket, dismiss: Callable[[str], None], attend: Callable[[str], None]) -> str:
    """Answer a client (inside the namespaces); the name under which it stays, or nothing."""
    try:
        client.settimeout(REQUEST_SECONDS)
        request = json.loads(client.recv(PACKET_BYTES) or b"{}")
        made = _make(request)
        if request["do"] == "dismiss":
            dismiss(request["name"])
        if request["do"] == "metadata" and request["folder"]:
            attend(str(request["folder"]))
        stays = str(request["name"]) if request["do"] == "stay" else ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        number = error.errno if isinstance(error, OSError) and error.errno else 0
        with contextlib.suppress(OSError):
            client.send(json.dumps({"error": getattr(error, "strerror", None) or str(error), "errno": number}).encode())
        return ""
    with contextlib.suppress(OSError):
        if made is None:
            client.send(OK)
            return stays
        with made:
            socket.send_fds(client, [OK], [made.fileno()])
    return ""


def _make(request: dict[str, Any]) -> socket.socket | None:
    match request["do"]:
        case "connect":
            return socket.create_connection((request["address"], request["port"]), min(CONNECT_SECONDS, float(request["timeout"])))
        case "listen":
            family = socket.AF_INET6 if ":" in request["address"] else socket.AF_INET
            return socket.create_server((request["address"], request["port"]), family=family)
        case "stay" | "dismiss" | "metadata":
            return None
        case "forward":
            forwarding.apply(Path(request["table"]))
            return None
        case "rejoin":
            overlay.rejoin(tuple(pair) for pair in request["pairs"])
            return None
        case "switch":
            switch.start(Path(request["folder"]))
            return None
        case "rename":
            mounts.name_host(str(request["name"]))
            return None
        case "gone":
            limit = time.monotonic() + REQUEST_SECONDS
            while any(name == request["device"] for _, name in socket.if_nameindex()):
                if time.monotonic() > limit:
                    raise TimeoutError(f"{request['device']} is still there")
                time.sleep(LOOK_SECONDS)
            return None
    raise ValueError(f"unknown request {request['do']}")


class Broker:
    """The outside end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _ask(self, patience: float, **request: Any) -> tuple[socket.socket, list[int]]:
        """The connection after the answer, and the descriptors that came with it."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            client.settimeout(patience + REQUEST_SECONDS)
            client.connect(str(self._path))
            client.send(json.dumps(request).encode())
            data, descriptors, _, _ = socket.recv_fds(client, PACKET_BYTES, 1)
            answer = json.loads(data or b"{}")
        except BaseException:
            client.close()
            raise
        if "ok" not in answer:
            client.close()
            raise OSError(answer.get("errno", 0), answer.get("error", "the private host went away"))
        return client, descriptors

    def _socket(self, patience: float, **request: Any) -> socket.socket:
        client, descriptors = self._ask(patience, **request)
        client.close()
        if not descriptors:
            raise OSError(0, "the private host gave no socket")
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return socket.socket(fileno=descriptors[0])

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """A connected socket with that timeout (seconds); OSError when nobody answers."""
        made = self._socket(timeout, do="connect", address=address, port=port, timeout=timeout)
        made.settimeout(timeout)
        return made

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket; OSError when the address is not there or taken."""
        made = self._socket(REQUEST_SECONDS, do="listen", address=address, port=port)
        made.settimeout(None)
        return made

    def stay(self, name: str) -> socket.socket:
        """A connection that is hung up when the host ends or ``name`` is dismissed; OSError when the host does not run."""
        client, _ = self._ask(REQUEST_SECONDS, do="stay", name=name)
        client.settimeout(None)
        return client

    def dismiss(self, name: str) -> None:
        """Hang up on those that stay under ``name``."""
        client, _ = self._ask(REQUEST_SECONDS, do="dismiss", name=name)
        client.close()

    def wait_until_gone(self, device: str) -> None:
        """Wait until a network device is not there any more; OSError when it stays for REQUEST_SECONDS."""
        client, _ = self._ask(REQUEST_SECONDS, do="gone", device=device)
        client.close()

    def forward(self, table: Path) -> None:
        """Bring the kernel to what the table of forwarding says; OSError with what it refuses."""
        client, _ = self._ask(CONNECT_SECONDS, do="forward", table=str(table))
        client.close()

    def metadata(self, folder: str) -> None:
        """Have the metadata service serve what is in ``folder``; OSError when the host, of an older version, has none. Empty: only ask."""
        client, _ = self._ask(REQUEST_SECONDS, do="metadata", folder=folder)
        client.close()

    def rejoin(self, pairs: list[tuple[str, str]]) -> None:
        """Put devices of guests back on their bridges; OSError with what the kernel refuses."""
        client, _ = self._ask(REQUEST_SECONDS, do="rejoin", pairs=pairs)
        client.close()

    def switch(self, folder: Path) -> None:
        """Have the virtual switch inside; OSError says why there is none."""
        client, _ = self._ask(CONNECT_SECONDS, do="switch", folder=str(folder))
        client.close()

    def rename(self, name: str) -> None:
        """Have the host call itself so."""
        client, _ = self._ask(REQUEST_SECONDS, do="rename", name=name)
        client.close()

    def pid(self) -> int | None:
        """The process id (outside) of process 1, or None when nobody listens. One that is frozen still counts."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(REQUEST_SECONDS)
            try:
                client.connect(str(self._path))
            except OSError:
                return None
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid
