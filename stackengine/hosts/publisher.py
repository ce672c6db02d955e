"""Published ports: one small process per host listens on loopback here and connects inside (:mod:`.publishing`).

Its table is a file in the host's folder. The process is started with the first port, told to look again with every change, and ends with the last
port or with the host.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stackengine import locks
from stackengine.hosts import processes
from stackengine.hosts.runtime import make_runtime_folder, runtime_folder, write_whole
from stackengine.sdk import ExistsError, HostError, TransientError

Entry = tuple[str, int, str, int]
"""(listen, port, target, target port)."""
ANSWER_SECONDS, START_SECONDS = 10.0, 30.0


def read_table(file: Path) -> dict[str, Entry]:
    """key -> entry."""
    if not file.is_file():
        return {}
    return {k: (str(v[0]), int(v[1]), str(v[2]), int(v[3])) for k, v in json.loads(file.read_text()).items()}


class Publisher:
    """The side that tells the process what to publish.

    ``broker``: by which targets are reached, a broker's socket or a URI with ssh; None: directly.
    ``runtime``: where its socket is, if not where the folder says.
    """

    def __init__(self, folder: Path, broker: Path | str | None, runtime: Path | None = None) -> None:
        self._folder, self._broker, self._runtime = folder, broker, runtime or runtime_folder(folder)
        self._table, self._socket, self._lock = folder / "ports.json", self._runtime / "publisher", self._runtime / "publisher.lock"

    def published(self) -> dict[str, Entry]:
        """What is to be published: key -> (listen, port, target, target port)."""
        return read_table(self._table)

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish, in place of what ``key`` published before; ExistsError when somebody else listens there."""
        with self._changing() as table:
            for other, (address, taken, _, _) in table.items():
                if other != key and (address, taken) == (listen, port):
                    raise ExistsError(f"{listen}:{port} is published already, for {other}")
            self._write({**table, key: (listen, port, target, target_port)})
            try:
                problem = self._tell().get(key, "")
            except HostError:
                self._write(table)
                raise
            if problem:
                self._write(table)
                self._settle(table)
                hint = "another program listens there: end it, or choose another port"
                raise ExistsError(f"{listen}:{port} cannot be published: {problem}", hint=hint)

    def unpublish(self, key: str) -> None:
        """Stop publishing; no error when it is not published. Connections that are open go on, unless it was the last port."""
        with self._changing() as table:
            if table.pop(key, None) is not None:
                self._write(table)
                self._settle(table)

    def revive(self) -> None:
        """Start the process again when there are ports and it is gone (after a stop or a reboot). Ports that are taken meanwhile stay recorded."""
        if self._table.is_file() and not processes.lives(self._lock):
            with self._changing() as table:
                if table:
                    self._tell()

    def end(self) -> None:
        """End the process and return when it is gone; the table stays."""
        if self._folder.is_dir():
            with self._changing():
                self._end()

    def _end(self) -> None:
        if processes.lives(self._lock):
            self._ask("end")
            if not processes.wait_until_free(self._lock, processes.END_SECONDS) and (pid := processes.holder(self._lock)):
                processes.end(pid, at_once=True)
        for left in (self._socket, self._lock):
            left.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a private host has more in it
            self._runtime.rmdir()

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        """The table, changed by one at a time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with locks.alone(self._folder / "ports.lock"):
            yield self.published()

    def _write(self, table: dict[str, Entry]) -> None:
        write_whole(self._table, json.dumps(table))

    def _settle(self, table: dict[str, Entry]) -> None:
        """After a port has gone: the process looks again if it is there, and ends when nothing is left."""
        if table:
            self._ask("look")
        else:
            self._end()

    def _tell(self) -> dict[str, str]:
        """Have the process look at its table, starting it if need be; problems by key."""
        answer = self._ask("look")
        if answer is None:
            said = self._start()
            answer = self._ask("look")
            if answer is None:
                raise TransientError(f"the process that publishes ports did not start: {said}", hint=f"see {self._folder / 'publisher.log'}")
        return answer

    def _ask(self, word: str) -> dict[str, str] | None:
        """What the process answers; None when there is none."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(ANSWER_SECONDS)
            try:
                client.connect(str(self._socket))
                client.sendall(f"{word}\n".encode())
                with client.makefile("r") as answers:
                    line = answers.readline()
            except TimeoutError as error:
                raise HostError("the process that publishes ports does not answer", hint=f"end process {processes.holder(self._lock)}") from error
            except OSError:
                return None
        if not line:
            return None
        found: dict[str, str] = json.loads(line)
        return found

    def _start(self) -> str:
        """Start the process and wait until it listens; what it said when it does not."""
        make_runtime_folder(self._runtime)
        answer, told = os.pipe()
        log = self._folder / "publisher.log"
        try:
            arguments = (str(self._table), str(self._runtime), str(self._broker or ""), str(told))
            processes.start_detached(processes.python("stackengine.hosts.publishing", *arguments), log, (told,))
            os.close(told)
            told = -1
            select.select([answer], [], [], START_SECONDS)
        finally:
            os.close(answer)
            if told >= 0:
                os.close(told)
        return processes.last_words(log)
