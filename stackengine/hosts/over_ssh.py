"""Into the network of a host that libvirt reaches by ssh: each connection is an ``ssh -W`` of its own, with the key and checks that the URI names.

The URI's words are libvirt's (remote driver, https://libvirt.org/uri.html): ``keyfile``, ``known_hosts``, ``no_verify``.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class SshGate:
    """The way in through a host's SSH server."""

    host: str
    user: str = ""
    port: int = 0
    options: tuple[str, ...] = ()

    def command(self, address: str, port: int, timeout: float) -> list[str]:
        """The program that carries one connection on its standard input and output."""
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        more = [*(("-l", self.user) if self.user else ()), *(("-p", str(self.port)) if self.port else ())]
        return ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, int(timeout))}", "-o", "LogLevel=ERROR", *self.options, *more,
                "-W", target, "--", self.host]  # fmt: skip

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """A socket whose other end is connected in the host's network. When nobody answers there, it is hung up on: that is seen when it is read."""
        ours, theirs = socket.socketpair()
        with theirs:
            command, end = self.command(address, port, timeout), theirs.fileno()
            try:
                running = subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL, start_new_session=True)
            except OSError:
                ours.close()
                raise
        threading.Thread(target=running.wait, name="ssh-gate", daemon=True).start()  # so that it does not stay as a zombie
        return ours


def gate_of(uri: str) -> SshGate | None:
    """The gate of a libvirt URI whose transport is ssh; None for any other text."""
    scheme, mark, _ = uri.partition("://")
    if not mark or scheme.rpartition("+")[2] not in ("ssh", "libssh", "libssh2"):
        return None
    parts = urlsplit(uri)
    if not parts.hostname:
        return None
    said = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    options = list[str]()
    if said.get("keyfile"):
        options += ["-i", said["keyfile"], "-o", "IdentitiesOnly=yes"]
    if said.get("no_verify") == "1":
        options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    elif said.get("known_hosts"):
        options += ["-o", f"UserKnownHostsFile={said['known_hosts']}"]
    return SshGate(parts.hostname, parts.username or "", parts.port or 0, tuple(options))
