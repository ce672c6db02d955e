"""Ports of servers, carried to loopback or to standard input and output, through the host's own network, which nothing outside can reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from stackengine.sdk import HostError
from stackengine.service.access import find_server, reach_of
from stackengine.service.carry import between
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

Tell = Callable[[str], None]
"""Where a line for whoever waits goes."""


def forward(session: Session, stack: str, server: str, listen: int, target: int, tell: Tell) -> None:
    """Carry a loopback port (0: a free one) to a server's port until interrupted. ``tell`` gets the place, and why one could not be carried."""
    row, instance, _ = find_server(session, stack, server)
    host, address = reach_of(session, row, instance), instance.identity["address"]
    with listening(listen) as waiting:
        tell(f"127.0.0.1:{waiting.getsockname()[1]} -> {server} ({address}:{target}); Ctrl-C ends it")
        serve_forever(waiting, host, address, target, tell)


def listening(port: int) -> socket.socket:
    """A loopback port; ServiceError when it is taken."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ServiceError(f"127.0.0.1:{port} cannot be opened: {error.strerror}", hint="name another port") from error


def serve_forever(waiting: socket.socket, host: Any, address: str, port: int, tell: Tell) -> None:
    """Carry everybody who connects to an address inside the host's network."""
    while True:
        client, _ = waiting.accept()
        threading.Thread(target=serve, args=(client, host, address, port, tell), daemon=True).start()


def serve(client: socket.socket, host: Any, address: str, port: int, tell: Tell) -> None:
    """Carry one who has connected, until either side ends; ``tell`` gets why that could not be."""
    with client:
        try:
            inside = host.connect(address, port, 10.0)
        except (OSError, HostError) as error:
            tell(f"{address}:{port}: {error}")
            return
        with inside:
            inside.settimeout(None)
            back = threading.Thread(target=_pipe, args=(inside, client), daemon=True)
            back.start()
            _pipe(client, inside)
            back.join()


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def carry(session: Session, stack: str, server: str, port: int) -> None:
    """Carry standard input and output to and from a server's port, until that ends: a ProxyCommand of ssh."""
    row, instance, _ = find_server(session, stack, server)
    try:
        inside = reach_of(session, row, instance).connect(instance.identity["address"], port, 10.0)
    except OSError as error:
        raise ServiceError(f"{server}:{port}: {error}", hint=f"does {server} run, and listen there? stack-run logs {stack} {server}") from error
    with inside:
        inside.settimeout(None)
        between(inside)
