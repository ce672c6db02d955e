"""The process that publishes ports of one host: listens on this machine and connects inside, byte for byte, half-closed connections too.

It holds its lock while it lives, and ends when it is told to, when its last port goes, or when its host ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stackengine.hosts import processes
from stackengine.hosts.over_ssh import SshGate, gate_of
from stackengine.hosts.private.broker import Broker
from stackengine.hosts.publisher import Entry, read_table

CONNECT_SECONDS = 10.0
CONNECTS = 32
"""Connections inside that may be under way at a time."""
PIECE = 1 << 18
"""Bytes that are read at once."""


class Publishing:
    """Listening sockets in line with the table."""

    def __init__(self, table: Path, broker: Broker | SshGate | None) -> None:
        self._table, self._broker = table, broker
        self._servers: dict[str, tuple[Entry, asyncio.Server]] = {}
        self._open: set[asyncio.Task[Any] | None] = set()
        self._connecting = ThreadPoolExecutor(CONNECTS)
        self._ended = asyncio.Event()

    async def run(self, control: Path, ready: Callable[[], None]) -> None:
        """Publish until told to end."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        control.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(lambda reader, writer: self._held(self._answer(reader, writer)), control)
        host = self._broker.stay("publisher") if isinstance(self._broker, Broker) else None
        if host is not None:
            loop.add_reader(host.fileno(), self._ended.set)  # nothing is ever sent: readable means hung up
        ready()
        await self._ended.wait()
        server.close()
        for _, listening in self._servers.values():
            listening.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One word from our own side: ``look`` or ``end``; the answer is the problems by key."""
        with contextlib.suppress(OSError):
            word = (await reader.readline()).strip()
            problems = await self._look() if word == b"look" else {}
            writer.write((json.dumps(problems) + "\n").encode())
            await writer.drain()
            if word == b"end":
                self._ended.set()
        writer.close()

    async def _look(self) -> dict[str, str]:
        """Bring the listening sockets in line with the table; problems by key."""
        wanted = read_table(self._table)
        problems = {}
        for key, (entry, server) in list(self._servers.items()):
            if wanted.get(key) != entry:
                server.close()
                del self._servers[key]
        for key, entry in wanted.items():
            if key not in self._servers:
                try:
                    self._servers[key] = (entry, await asyncio.start_server(self._client(entry), entry[0], entry[1], limit=PIECE, backlog=256))
                except OSError as error:
                    problems[key] = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return problems

    async def _held(self, work: Coroutine[Any, Any, None]) -> None:
        """Somebody must hold a connection: streams refer to each other only weakly, and the collector would end them in the middle."""
        current = asyncio.current_task()
        self._open.add(current)
        try:
            await work
        finally:
            self._open.discard(current)

    def _client(self, entry: Entry) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        return lambda reader, writer: self._held(self._carry(entry, reader, writer))

    async def _carry(self, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        loop = asyncio.get_running_loop()
        try:
            inside = await loop.run_in_executor(self._connecting, self._connect, entry[2], entry[3])
            inside_reader, inside_writer = await asyncio.open_connection(sock=inside, limit=PIECE)
        except OSError:
            reset(writer)
            return
        try:
            async with asyncio.TaskGroup() as both:  # when one direction breaks, the other is worth nothing
                both.create_task(pipe(reader, inside_writer))
                both.create_task(pipe(inside_reader, writer))
        except* OSError:
            reset(writer)
            reset(inside_writer)
        writer.close()
        inside_writer.close()

    def _connect(self, address: str, port: int) -> socket.socket:
        if self._broker is None:
            made = socket.create_connection((address, port), CONNECT_SECONDS)
        else:
            made = self._broker.connect(address, port, CONNECT_SECONDS)
        made.setblocking(False)
        return made


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one end to the other, and then the end of the stream; the other direction may go on."""
    made = writer.get_extra_info("socket")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    while data := await reader.read(PIECE):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset, as it would have seen it without us."""
    made = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main() -> None:
    """Arguments: the table, the runtime folder, the broker's socket (or a URI with ssh, or nothing), the descriptor on which to say that we listen."""
    table, runtime, broker, told = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    os.umask(0o077)
    with processes.holding(runtime / "publisher.lock") as lock:
        if lock is None:
            sys.exit("another one publishes already")
        os.write(lock, str(os.getpid()).encode())

        def ready() -> None:
            os.write(told, b"\n")
            os.close(told)

        publishing = Publishing(table, gate_of(broker) or (Broker(Path(broker)) if broker else None))
        asyncio.run(publishing.run(runtime / "publisher", ready))
        os._exit(0)  # connections inside that are still under way are nobody's any more


if __name__ == "__main__":
    main()
