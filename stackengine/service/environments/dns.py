"""The DNS zone of published names (``pools.zone`` in ``owner.yaml``): answers where each name is on this machine, and nothing else.

It speaks as much of RFC 1035 as a resolver needs that is told to ask here for one zone: one question, A records over UDP, no recursion.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from stackengine.service.news import News
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, ServiceError, Settings

A, ANY, IN = 1, 255, 1
TTL = 5
"""Seconds that an answer is good for: environments come and go."""
LOOK_EVERY = 1.0
"""Seconds between two looks into the store."""
OK, NO_SUCH_NAME, REFUSED = 0, 3, 5
_HEADER = struct.Struct(">HHHHHH")
LONGEST = 4096


def answer(packet: bytes, zone: str, names: Mapping[str, str]) -> bytes | None:
    """The answer to a query; None for what is none. ``names``: whole names in lower case -> IPv4 addresses."""
    try:
        number, flags, questions, *_ = _HEADER.unpack_from(packet)
        name, end = _name(packet, _HEADER.size)
        type_, class_ = struct.unpack_from(">HH", packet, end)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if flags & 0x8000 or questions != 1:
        return None
    question = packet[_HEADER.size : end + 4]
    inside = class_ == IN and not flags & 0x7800 and (name == zone or name.endswith(f".{zone}"))
    address = names.get(name) if inside else None
    below = address is not None or name == zone or any(known.endswith(f".{name}") for known in names)
    code = REFUSED if not inside else OK if below else NO_SUCH_NAME
    records = b""
    if address is not None and type_ in (A, ANY):
        records = struct.pack(">HHHIH", 0xC00C, A, IN, TTL, 4) + ipaddress.IPv4Address(address).packed
    head = _HEADER.pack(number, 0x8400 | flags & 0x0100 | code, 1, 1 if records else 0, 0, 0)
    return head + question + records


def _name(packet: bytes, at: int) -> tuple[str, int]:
    """The name at a place, in lower case, and where it ends; questions are never compressed."""
    labels = []
    while size := packet[at]:
        if size > 63 or at + size >= len(packet):
            raise IndexError
        labels.append(packet[at + 1 : at + 1 + size].decode("ascii").lower())
        at += 1 + size
    return ".".join(labels), at + 1


@contextmanager
def serving(settings: Settings, place: str, failed: Callable[[str], None]) -> Iterator[None]:
    """Answer on ``ADDRESS:PORT`` meanwhile; ServiceError where that is none, is taken, or where the machine has no zone."""
    address, _, port = place.rpartition(":")
    with Session(settings) as session:
        zone = session.pools.zone
    if not zone:
        raise ServiceError("this machine has no zone for published names", hint="pools: {zone: env.internal} in owner.yaml")
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.bind((address or "127.0.0.1", int(port)))
    except (OSError, ValueError, OverflowError) as error:
        listening.close()
        raise ServiceError(f"DNS cannot be served on {place}: {error}", hint="ADDRESS:PORT, such as 127.0.0.1:5353") from error
    over = threading.Event()
    thread = threading.Thread(target=_answer_all, args=(settings, listening, zone, over, failed), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5.0)
        listening.close()


def _answer_all(settings: Settings, listening: socket.socket, zone: str, over: threading.Event, failed: Callable[[str], None]) -> None:
    listening.settimeout(0.5)
    with contextlib.closing(_Names(settings, failed)) as names:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                packet, asker = listening.recvfrom(LONGEST)
                found = answer(packet, zone, names.now())
                if found is not None:
                    with contextlib.suppress(OSError):
                        listening.sendto(found, asker)


class _Names:
    """The published names, looked up every second at most. While the store cannot be read, those that were known last are good."""

    def __init__(self, settings: Settings, failed: Callable[[str], None]) -> None:
        self._settings, self._news = settings, News(failed)
        self._session = Session(settings)
        self._known: Mapping[str, str] = {}
        self._looked = float("-inf")

    def now(self) -> Mapping[str, str]:
        if time.monotonic() - self._looked > LOOK_EVERY:
            try:
                self._known = self._session.store.published_names()
                self._news.fine()
            except REFUSALS as error:
                self._news.trouble(f"names are answered as they were: {error}")
                self.close()
                self._session = Session(self._settings)  # what is put in the place of a damaged store is read
            self._looked = time.monotonic()
        return self._known

    def close(self) -> None:
        self._session.close()
