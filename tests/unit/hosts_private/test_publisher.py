"""Ports published for hosts that are reached directly: a process on loopback, nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stackengine.hosts import processes
from stackengine.hosts.publisher import Publisher
from stackengine.hosts.runtime import runtime_folder
from stackengine.sdk import ExistsError


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    publisher = Publisher(tmp_path / "host", None)
    yield publisher
    publisher.end()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answer_once(listening: socket.socket) -> None:
    client, _ = listening.accept()
    with client:
        client.sendall(client.recv(100).upper())


def test_a_port_is_carried_and_the_process_ends_with_the_last_one(publisher: Publisher, tmp_path: Path) -> None:
    port = _free_port()
    with socket.create_server(("127.0.0.1", 0)) as target:
        threading.Thread(target=_answer_once, args=(target,), daemon=True).start()
        publisher.publish("a", "127.0.0.1", port, *target.getsockname())
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"word")
            assert client.recv(100) == b"WORD"
    publisher.unpublish("a")
    assert publisher.published() == {}
    assert not processes.lives(runtime_folder(tmp_path / "host") / "publisher.lock")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_many_connections_at_once_all_get_their_answer(publisher: Publisher) -> None:
    port = _free_port()

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                _answer_once(listening)
            except OSError:
                return

    def ask(number: int) -> bool:
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            client.settimeout(30)
            client.sendall(b"n%d" % number)
            client.shutdown(socket.SHUT_WR)
            return client.recv(100) == b"N%d" % number

    with socket.create_server(("127.0.0.1", 0), backlog=256) as target:
        for _ in range(4):
            threading.Thread(target=serve, args=(target,), daemon=True).start()
        publisher.publish("a", "127.0.0.1", port, *target.getsockname())
        with ThreadPoolExecutor(50) as clients:
            assert all(clients.map(ask, range(1000)))


def test_a_taken_port_is_refused_and_what_was_published_before_stays(publisher: Publisher) -> None:
    port = _free_port()
    publisher.publish("a", "127.0.0.1", port, "127.0.0.1", 9)
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ExistsError) as refused:
        publisher.publish("a", "127.0.0.1", other.getsockname()[1], "127.0.0.1", 9)
    assert refused.value.hint
    assert publisher.published() == {"a": ("127.0.0.1", port, "127.0.0.1", 9)}
    socket.create_connection(("127.0.0.1", port), 5).close()


def test_unpublishing_starts_nothing(publisher: Publisher, tmp_path: Path) -> None:
    publisher.unpublish("never")
    publisher.revive()
    assert not (tmp_path / "host" / "publisher.log").exists()
