"""What guests send as signals is bounded: connections, time and bytes of each, and what a handle takes in all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackengine.engine import signals
from stackengine.hosts import channels, consoles, listener
from stackengine.model.instance import Recorded
from stackengine.service.signals import SignalHub
from unit.service.house import House

BODY = b'{"status": "SUCCESS"}'


class Ear:
    """A listener on loopback, and what it took."""

    def __init__(self) -> None:
        self.took: list[tuple[str, str, bytes]] = []
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.server = listener.serving(listening, self._receive)

    def _receive(self, handle: str, token: str, body: bytes) -> str | None:
        self.took.append((handle, token, body))
        return signals.FULL if handle == "full" else None

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))

    def send(self, body: bytes = BODY, source: str = "127.0.0.1", handle: str = "h-1", more: bytes = b"") -> int:
        """The status of the answer; 0 where it was hung up."""
        try:
            with self.connect(source) as connection:
                connection.sendall(f"POST /v1/signal/{handle}/t HTTP/1.1\r\ncontent-length: {len(body)}\r\n".encode() + more + b"\r\n" + body)
                answer = connection.recv(1000)
        except ConnectionError:
            return 0
        return int(answer.split()[1]) if answer else 0


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_signal_is_taken_and_one_too_many_is_told_so(ear: Ear) -> None:
    assert ear.send() == 200
    assert ear.took == [("h-1", "t", BODY)]
    assert ear.send(handle="full") == 429
    assert ear.send(b"x" * signals.MAX_BODY) == 200
    assert ear.send(b"x" * (signals.MAX_BODY + 1)) == 413


def test_a_guest_that_takes_up_its_connections_has_none_of_the_others(ear: Ear) -> None:
    idle = [ear.connect() for _ in range(listener.OF_ONE)]
    assert eventually(lambda: ear.send() == 0)
    assert ear.send(source="127.0.0.2") == 200
    for connection in idle:
        connection.close()
    assert eventually(lambda: ear.send() == 200)


def test_all_guests_together_have_so_many(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS", 3)
    idle = [ear.connect(f"127.0.0.{n}") for n in (1, 2, 3)]
    assert eventually(lambda: ear.send(source="127.0.0.4") == 0)
    idle.pop().close()
    assert eventually(lambda: ear.send(source="127.0.0.4") == 200)


def test_many_at_once_are_taken_one_and_all(ear: Ear) -> None:
    found: list[int] = []
    senders = [threading.Thread(target=lambda n=n: found.append(ear.send(source=f"127.0.1.{n}"))) for n in range(1, 101)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert found == [200] * 100


def test_who_sends_a_byte_now_and_then_is_hung_up_on(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SECONDS", 0.5)
    with ear.connect() as slow:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < begun + 8:
                slow.sendall(b"x")
                time.sleep(0.05)
    assert time.monotonic() - begun < 4


def test_endless_headers_are_not_read(ear: Ear) -> None:
    assert ear.send(more=b"".join(b"x%d: " % n + b"y" * 60_000 + b"\r\n" for n in range(20))) != 200
    assert ear.took == []


def eventually(true: Any) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


class Endless:
    """A guest that never stops writing."""

    def __init__(self, piece: bytes) -> None:
        self.piece, self.read = piece, 0

    def recv(self, size: int) -> bytes:
        self.read += size
        if self.read > 64 << 20:
            raise AssertionError("it is read on and on")
        return (self.piece * (size // len(self.piece) + 1))[:size]


@pytest.mark.parametrize("piece", [b"x", b"\n", b'{"handle": "h", "token": "t"}\n'])
def test_a_guest_that_never_stops_on_its_channel_holds_up_no_other_and_fills_nothing(piece: bytes) -> None:
    reader = channels.ChannelReader(None, lambda *_: None, set)
    reader._streams["u"] = (Endless(piece), bytearray())
    begun = time.monotonic()
    for _ in range(6):
        reader._read("u")
    assert len(reader._streams["u"][1]) <= channels.LONGEST + 4096 * channels.PIECES
    assert time.monotonic() - begun < 5


def test_a_signal_after_a_line_that_is_too_long_is_heard() -> None:
    got: list[bytes] = []
    reader = channels.ChannelReader(None, lambda _handle, _token, body: got.append(body), set)
    pieces: list[Any] = [b"x" * 4096] * 200 + [b'\n{"handle": "h", "token": "t", "status": "SUCCESS"}\n']
    stream = type("Said", (), {"recv": lambda _self, _size: pieces.pop(0) if pieces else channels._AGAIN})()
    reader._streams["u"] = (stream, bytearray())
    while pieces:
        reader._read("u")
    assert got == [b'{"status": "SUCCESS"}']


def test_a_console_is_no_other_way_to_fill_this_machine(tmp_path: Path) -> None:
    heard = consoles.Heard(Endless(b"stack-signal: x"), tmp_path / "u.log")
    for _ in range(4):
        heard.read(lambda *_: None)
    assert len(heard._rest) <= channels.LONGEST


HANDLES = """
told: {type: 'SE::WaitConditionHandle'}
wait: {type: 'SE::WaitCondition', properties: {handle: {get_resource: told}, count: %d}}
"""


def hub(tmp_path: Path, count: int = 1) -> tuple[SignalHub, str, str, list[Any]]:
    """A hub for one handle: (hub, handle, token, what was delivered)."""
    house = House(tmp_path)
    delivered: list[Any] = []
    plan = house.plan(HANDLES % count).plan
    handle = next(a.instance for a in plan.actions.values() if "token" in a.instance.identity)
    return SignalHub(house.host, plan, Recorded(), delivered.append, ()), handle.physical_id, str(handle.identity["token"]), delivered


def test_a_handle_takes_so_many_signals_and_repeated_ones_always(tmp_path: Path) -> None:
    to, handle, token, delivered = hub(tmp_path)
    assert [to.receive(handle, token, json.dumps({"id": n}).encode()) for n in range(signals.MAX_SIGNALS)] == [None] * signals.MAX_SIGNALS
    assert to.receive(handle, token, b'{"id": "one more"}') == signals.FULL
    assert to.receive(handle, token, b"") == signals.FULL
    assert to.receive(handle, token, b'{"id": 7}') is None
    assert len(delivered) == signals.MAX_SIGNALS + 1


def test_who_waits_for_more_gets_more(tmp_path: Path) -> None:
    to, handle, token, _ = hub(tmp_path, signals.MAX_SIGNALS + 5)
    for n in range(signals.MAX_SIGNALS + 5):
        assert to.receive(handle, token, json.dumps({"id": n}).encode()) is None
    assert to.receive(handle, token, b'{"id": "one more"}') == signals.FULL


def test_a_handle_takes_so_many_bytes_those_from_before_a_crash_too(tmp_path: Path) -> None:
    to, handle, token, _ = hub(tmp_path)
    large = "x" * (signals.MAX_BODY - 100)
    for n in range(signals.MAX_BYTES // signals.MAX_BODY):
        assert to.receive(handle, token, json.dumps({"id": n, "data": large}).encode()) is None
    assert to.receive(handle, token, json.dumps({"id": "more", "data": large}).encode()) == signals.FULL
    old = [{"id": str(n), "status": "SUCCESS", "reason": "", "data": large} for n in range(signals.MAX_BYTES // signals.MAX_BODY)]
    again = SignalHub(to._hosts[0], to._plan, Recorded(signals={handle: old}), lambda _: None)
    assert again.receive(handle, token, json.dumps({"id": "more", "data": large}).encode()) == signals.FULL
    assert again.receive(handle, token, json.dumps({"id": 0, "data": large}).encode()) is None
