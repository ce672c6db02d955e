"""Process 1 of a private host: mounts, starts libvirtd and its companions, buries the dead, hands out sockets. Runs in fresh namespaces.

When it ends, the kernel ends everything else in the process namespace: nothing of a private host can be left over.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  (loaded now: what is below the state folder may look different after the mounts)
import fcntl
import json
import os
import queue
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from stackengine.hosts import processes
from stackengine.hosts.private.broker import serve
from stackengine.hosts.private.mounts import mount_everything

DAEMONS = ("virtlogd", "virtlockd", "libvirtd")
METADATA = "metadata"
"""The service that is started when the first server asks for it."""
PATIENCE = 30.0
"""Seconds until libvirtd has made its socket."""
DEATHS, DEATHS_SECONDS = 5, 60.0
"""A daemon that ended more often than this within so many seconds is not started again, and the host ends. Guests outlive their libvirtd."""


def loopback_up() -> None:
    """Set lo up in the new network namespace (SIOCSIFFLAGS)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up_and_running = 0x41
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", up_and_running))


class Attendant:
    """Starts the daemons, starts them again when they end, and serves the broker's socket."""

    def __init__(self, broker: socket.socket) -> None:
        self._broker = broker
        self._selector = selectors.DefaultSelector()
        self._daemons: dict[int, str] = {}
        self._deaths: dict[str, list[float]] = {name: [] for name in (*DAEMONS, METADATA)}
        self._staying: dict[socket.socket, str] = {}
        self._commands: dict[str, list[str]] = {name: [name] for name in DAEMONS}
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._wake = -1

    def start(self, name: str) -> None:
        """Start a daemon in a session of its own."""
        process = subprocess.Popen(self._commands[name], stdin=subprocess.DEVNULL, start_new_session=True)
        process.returncode = 0  # it is buried by number, with all others
        self._daemons[process.pid] = name

    def attend(self) -> None:
        """Never returns."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._selector.register(woken, selectors.EVENT_READ)
        self._selector.register(self._broker, selectors.EVENT_READ)
        self._bury()
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._broker:
                    with contextlib.suppress(OSError):
                        client, _ = self._broker.accept()
                        threading.Thread(target=self._serve, args=(client,), daemon=True).start()
                elif key.fd == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 4096)
                    self._bury()
                    self._begin_metadata()
                else:
                    self._forget(key.fileobj)

    def _serve(self, client: socket.socket) -> None:
        name = serve(client, self._hang_up, self._ask_metadata)
        if name:
            self._staying[client] = name
            self._selector.register(client, selectors.EVENT_READ)
        else:
            client.close()

    def _ask_metadata(self, folder: str) -> None:
        """From any thread; the loop starts it, as it alone buries."""
        self._asked.put(folder)
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake, b"m")

    def _begin_metadata(self) -> None:
        while not self._asked.empty():
            folder = self._asked.get()
            if METADATA not in self._daemons.values():
                self._commands[METADATA] = processes.python("stackengine.hosts.private.metadata", folder)
                self.start(METADATA)

    def _hang_up(self, name: str) -> None:
        for client in [c for c, n in self._staying.items() if n == name]:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)  # which wakes the loop, and that closes it

    def _forget(self, client: object) -> None:
        """A client that stayed has gone."""
        assert isinstance(client, socket.socket)
        self._selector.unregister(client)
        self._staying.pop(client, None)
        client.close()

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._daemons.pop(pid, None)
            if name is None:
                continue
            now = time.monotonic()
            self._deaths[name] = [*(t for t in self._deaths[name] if now - t < DEATHS_SECONDS), now]
            print(f"{name} ended with {os.waitstatus_to_exitcode(status)}", file=sys.stderr, flush=True)
            if len(self._deaths[name]) > DEATHS:
                if name == METADATA:  # guests miss it, and go on
                    continue
                print(f"{name} ended {DEATHS + 1} times within {DEATHS_SECONDS:g} s: giving up", file=sys.stderr, flush=True)
                os._exit(1)
            self.start(name)


def begin(settings: dict[str, str]) -> Attendant:
    """Everything up to the moment when libvirtd has its socket."""
    folder, runtime, broker_path = Path(settings["folder"]), Path(settings["runtime"]), Path(settings["broker"])
    broker_path.unlink(missing_ok=True)
    broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    broker.bind(str(broker_path))
    socket.sethostname(settings["name"][:63])
    mount_everything(folder, runtime, Path(settings["cache"]), settings["name"])
    loopback_up()
    attendant = Attendant(broker)
    for name in DAEMONS:
        attendant.start(name)
    libvirt_socket, end = Path("/run/libvirt/libvirt-sock"), time.monotonic() + PATIENCE
    while not _listens(libvirt_socket):
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if dead is not None:
            raise OSError(f"a daemon ended with {dead.si_status}")
        if time.monotonic() > end:
            raise OSError(f"libvirtd made no socket within {PATIENCE:g} s")
        time.sleep(0.01)
    broker.listen(128)  # from now on the host counts as running, and the listener's credentials tell the process id
    return attendant


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _tell(descriptor: int, words: str) -> None:
    """Say how the start went. Whoever asked may be gone: the host is there all the same, for the next one."""
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, words.encode())
    os.close(descriptor)


def main() -> None:
    """Arguments: settings (JSON), descriptor on which to say how the start went (an empty line: well), descriptor of the lock that is held."""
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    settings, told, lock = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.write(lock, bytes(Path("/proc/self").readlink()))  # /proc is still the one from outside
    try:
        attendant = begin(settings)
    except OSError as error:
        _tell(told, f"{error.strerror or error}\n")
        os._exit(1)
    _tell(told, "\n")
    attendant.attend()


if __name__ == "__main__":
    main()
