"""Published ports: one small process per host listens on loopback here and connects inside.

Its table is a file in the host's folder; the process is started with the first port, told to look again with every change, and ends with the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stackengine.hosts.private.broker import Broker
from stackengine.sdk import ExistsError, HostError

Entry = tuple[str, int, str, int]
CONNECT_SECONDS = 10.0


class Publisher:
    """The side that tells the process what to publish; ``broker`` is None where targets are reached directly."""

    def __init__(self, folder: Path, broker: Path | None) -> None:
        self._folder, self._broker = folder, broker
        self._table, self._socket = folder / "ports.json", folder / "publisher.sock"

    def published(self) -> dict[str, Entry]:
        """key -> (listen, port, target, target port)."""
        if not self._table.is_file():
            return {}
        return {k: (v[0], v[1], v[2], v[3]) for k, v in json.loads(self._table.read_text()).items()}

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish; ExistsError when somebody else listens there."""
        with self._changing() as table:
            before = table.get(key)
            for other, (address, taken, _, _) in table.items():
                if other != key and (address, taken) == (listen, port):
                    raise ExistsError(f"{listen}:{port} is published already")
            table[key] = (listen, port, target, target_port)
        problem = self._tell().get(key)
        if problem:
            with self._changing() as table:
                table.pop(key, None)
                if before is not None:
                    table[key] = before
            self._tell()
            hint = "another program listens there; leave the port out, and a free one is chosen"
            raise ExistsError(f"{listen}:{port} cannot be published: {problem}", hint=hint)

    def unpublish(self, key: str) -> None:
        """Stop publishing; no error when it is not published."""
        if key not in self.published():
            return
        with self._changing() as table:
            table.pop(key, None)
        if self.published():
            self._tell()
        else:
            self.end()

    def revive(self) -> None:
        """Start the process again when there are ports and it is gone (after a reboot)."""
        if self.published() and self._ask() is None:
            self._tell()

    def end(self) -> None:
        """End the process; the table stays."""
        pid = self._folder / "publisher.pid"
        if pid.is_file():
            if self._ask() is not None:
                with contextlib.suppress(ProcessLookupError, ValueError):
                    os.kill(int(pid.read_text()), signal.SIGTERM)
            pid.unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "ports.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.published()
            yield table
            temporary = self._table.with_suffix(".tmp")
            temporary.write_text(json.dumps(table))
            temporary.replace(self._table)

    def _tell(self) -> dict[str, str]:
        """Have the process look at its table, starting it if need be; problems by key."""
        answer = self._ask()
        if answer is None:
            self._start()
            end = time.monotonic() + 15
            while answer is None:
                if time.monotonic() > end:
                    raise HostError("the process that publishes ports did not start", hint=f"see {self._folder / 'publisher.log'}")
                time.sleep(0.05)
                answer = self._ask()
        return answer

    def _ask(self) -> dict[str, str] | None:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(_short(self._socket))
                client.sendall(b"look\n")
                with client.makefile("r") as answers:
                    found: dict[str, str] = json.loads(answers.readline() or "{}")
                return found
            except OSError:
                return None

    def _start(self) -> None:
        self._socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "stackengine.hosts.publisher", str(self._folder), str(self._broker or "")]
        with (self._folder / "publisher.log").open("w") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        (self._folder / "publisher.pid").write_text(str(process.pid))


def _short(path: Path) -> str:
    """A path for a Unix socket; long ones go by the folder's descriptor (108 bytes is the limit)."""
    text = str(path)
    if len(text.encode()) < 100:
        return text
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    return f"/proc/self/fd/{descriptor}/{path.name}"


class _Process:
    """The process itself."""

    def __init__(self, folder: Path, broker: Path | None) -> None:
        self._table, self._socket = folder / "ports.json", folder / "publisher.sock"
        self._broker = Broker(broker) if broker is not None else None
        self._servers: dict[str, tuple[Entry, asyncio.Server]] = {}

    async def run(self) -> None:
        """Publish until told to end."""
        await self._look()
        self._socket.unlink(missing_ok=True)
        control = await asyncio.start_unix_server(self._control, _short(self._socket))
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with control:
            await stopped.wait()

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write((json.dumps(await self._look()) + "\n").encode())
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _look(self) -> dict[str, str]:
        """Bring the listening sockets in line with the table; problems by key."""
        wanted: dict[str, Entry] = {k: (v[0], v[1], v[2], v[3]) for k, v in json.loads(self._table.read_text()).items()} if self._table.is_file() else {}
        problems = {}
        for key, (entry, server) in list(self._servers.items()):
            if wanted.get(key) != entry:
                server.close()
                del self._servers[key]
        for key, entry in wanted.items():
            if key not in self._servers:
                try:
                    self._servers[key] = (entry, await asyncio.start_server(self._client(entry), entry[0], entry[1]))
                except OSError as error:
                    problems[key] = error.strerror or str(error)
        return problems

    def _client(self, entry: Entry) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                inside = await asyncio.get_running_loop().run_in_executor(None, self._connect, entry[2], entry[3])
                inside_reader, inside_writer = await asyncio.open_connection(sock=inside)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_pipe(reader, inside_writer), _pipe(inside_reader, writer))
            for end in (writer, inside_writer):
                end.close()

        return serve

    def _connect(self, address: str, port: int) -> socket.socket:
        if self._broker is None:
            made = socket.create_connection((address, port), CONNECT_SECONDS)
        else:
            made = self._broker.connect(address, port, CONNECT_SECONDS)
        made.setblocking(False)
        return made


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one end to the other, the end of the stream too."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


if __name__ == "__main__":
    asyncio.run(_Process(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None).run())
