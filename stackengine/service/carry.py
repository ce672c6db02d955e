"""Carries bytes between standard input and output and an open socket: the ProxyCommand of ssh."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading


def between(inside: socket.socket) -> None:
    """Until the other side has ended; what comes after the end of standard input is still carried out."""

    def inward() -> None:
        with contextlib.suppress(OSError):  # the other side has gone: whoever reads from it sees that
            while data := os.read(0, 65_536):
                inside.sendall(data)
            inside.shutdown(socket.SHUT_WR)

    threading.Thread(target=inward, daemon=True).start()  # it may wait for input for ever
    with contextlib.suppress(OSError):
        while data := inside.recv(65_536):
            os.write(1, data)


def main() -> None:
    """``carry SOCKET``: until the other side has ended."""
    with socket.socket(socket.AF_UNIX) as inside:
        inside.connect(sys.argv[1])
        between(inside)


if __name__ == "__main__":
    main()
