"""Carries bytes between standard input and output and an open socket: the ProxyCommand of our ssh."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading


def main() -> None:
    """``carry SOCKET``: until both directions have ended."""
    inside = socket.socket(socket.AF_UNIX)
    inside.connect(sys.argv[1])

    def outward() -> None:
        while data := inside.recv(65_536):
            os.write(1, data)
        os._exit(0)

    threading.Thread(target=outward, daemon=True).start()
    with contextlib.suppress(OSError):
        while data := os.read(0, 65_536):
            inside.sendall(data)
        inside.shutdown(socket.SHUT_WR)
    threading.Event().wait()


if __name__ == "__main__":
    main()
