"""Ways to guests: ssh, console, logs, forwarded ports. All go through the host's own network, which nothing outside can reach."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.model.instance import Instance
from stackengine.sdk import Host, HostError
from stackengine.service import grounds, prepare
from stackengine.service.carry import between
from stackengine.service.keys import folder_of
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, ServiceError
from stackengine.store.store import StackRow

KEY_LINE = re.compile(r"((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) [A-Za-z0-9+/=]{40,})")
FOLLOW_EVERY = 0.2
HOST_KEYS_WITHIN = 120.0
"""Seconds that ``ssh`` waits for a guest to print its host keys: cloud-init does so at the very end of a boot, after a signal of its own."""


@dataclass(frozen=True, slots=True)
class Login:
    """How a server is logged in to."""

    path: str
    hostname: str
    address: str
    alias: str
    """The name under which its host keys are known."""
    user: str
    identity: str
    """The file of the private key; empty: the user's own keys."""
    known_hosts: str


def logins(session: Session, stack: str) -> list[Login]:
    """The servers of a stack that have an address; host keys that they have told are learned."""
    row = prepare.find_stack(session, stack)
    folder = folder_of(session.folder, row.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity, found = folder / "id_ed25519", []
    for instance in servers_of(session, row):
        if not instance.identity.get("address"):
            continue
        with contextlib.suppress(ServiceError, HostError):  # one that has not booted yet, or cannot be asked, is still listed
            _learn_host_keys(host_of(session, row, instance), instance, folder / "known_hosts")
        found.append(
            Login(
                instance.path, str(instance.identity.get("hostname", instance.path)), str(instance.identity["address"]), _alias(instance), "root",
                str(identity) if identity.is_file() else "", str(folder / "known_hosts"),
            )
        )  # fmt: skip
    return found


def servers_of(session: Session, row: StackRow) -> list[Instance]:
    """The servers of a stack, the newest generation of each, by path."""
    found = [i for i in session.store.recorded(row.id).instances.values() if "uuid" in i.identity and "nics" in i.identity]
    newest = {i.path: i for i in sorted(found, key=lambda i: (i.sure, i.generation))}
    return [newest[path] for path in sorted(newest)]


def host_of(session: Session, row: StackRow, instance: Instance) -> Host:
    """The host that an instance is on; ServiceError with a hint when it cannot be had."""
    return prepare.open_host_of(session, row) if instance.host in ("", row.host) else grounds.opened(session, instance.host)


def reach_of(session: Session, row: StackRow, instance: Instance) -> Any:
    """The host whose network reaches a server: that of its first interface's network, wherever the server itself is."""
    networks = [nic.get("network") for nic in instance.identity["nics"]]
    found = next((i for i in session.store.recorded(row.id).instances.values() if networks and i.physical_id == networks[0]), instance)
    return host_of(session, row, found)


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


def find_server(session: Session, stack: str, server: str) -> tuple[StackRow, Instance, Any]:
    """(stack, instance, host) of a server; ServiceError naming those that there are."""
    row = prepare.find_stack(session, stack)
    known = {i.path: i for i in servers_of(session, row)}
    if server not in known:
        raise NotThereError(f"{stack} has no server {server}", hint=f"it has: {', '.join(known) or 'none'}")
    host: Any = host_of(session, row, known[server])
    if getattr(host, "simulated", False):
        raise ServiceError(f"{server} is simulated: there is no guest to reach", hint="use private:// or a libvirt host")
    return row, known[server], host


def logs(session: Session, stack: str, server: str, follow: bool = False) -> Iterator[str]:
    """Lines of the console log; ``follow`` waits for more until interrupted."""
    _, instance, host = find_server(session, stack, server)
    file: Path | None = host.console_file(instance.identity["uuid"])
    if file is None:
        raise ServiceError(f"the console log of {server} is not on this machine", hint=f"stack-run console {stack} {server}")
    with file.open("r", encoding="utf-8", errors="replace") as log:
        while True:
            line = log.readline()
            if line:
                yield line.rstrip("\r\n") + "\n"
            elif follow:
                time.sleep(FOLLOW_EVERY)
            else:
                return


def console(session: Session, stack: str, server: str) -> None:
    """An interactive console until Ctrl-]; what is typed goes to the guest."""
    _, instance, host = find_server(session, stack, server)
    stream = host.open_console(instance.identity["uuid"])
    out = sys.stdout.buffer
    closed = threading.Event()

    def show() -> None:
        try:
            while data := stream.recv(4096):
                out.write(data)
                out.flush()
        except Exception as error:  # libvirt's stream ends with an error when the guest stops
            if not closed.is_set():
                print(f"\r\nthe console ended: {error}\r", file=sys.stderr)
        closed.set()

    threading.Thread(target=show, daemon=True).start()
    print(f"console of {server}; Ctrl-] ends it\r", file=sys.stderr)
    with _raw_terminal():
        while not closed.is_set():
            ready, _, _ = select.select([sys.stdin], [], [], 0.2)
            if ready:
                typed = os.read(sys.stdin.fileno(), 1024)
                if not typed or b"\x1d" in typed:
                    break
                stream.send(typed)
    closed.set()
    stream.abort()


class _raw_terminal:  # noqa: N801  (reads like a statement)
    """Keys as they are typed, where there is a terminal."""

    def __enter__(self) -> None:
        self._before: Any = None
        if sys.stdin.isatty():
            import termios
            import tty

            self._before = termios.tcgetattr(sys.stdin)
            tty.setraw(sys.stdin)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)


def forward(session: Session, stack: str, server: str, listen: int, target: int) -> None:
    """Forward a loopback port to a server's port until interrupted."""
    row, instance, _ = find_server(session, stack, server)
    host, address = reach_of(session, row, instance), instance.identity["address"]
    with listening(listen) as waiting:
        print(f"127.0.0.1:{waiting.getsockname()[1]} -> {server} ({address}:{target}); Ctrl-C ends it", file=sys.stderr, flush=True)
        serve_forever(waiting, host, address, target)


def listening(port: int) -> socket.socket:
    """A loopback port; ServiceError when it is taken."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ServiceError(f"127.0.0.1:{port} cannot be opened: {error.strerror}", hint="name another port") from error


def serve_forever(waiting: socket.socket, host: Any, address: str, port: int) -> None:
    """Carry everybody who connects to an address inside the host's network."""
    while True:
        client, _ = waiting.accept()
        threading.Thread(target=_serve, args=(client, host, address, port), daemon=True).start()


def _serve(client: socket.socket, host: Any, address: str, port: int) -> None:
    with client:
        try:
            inside = host.connect(address, port, 10.0)
        except (OSError, HostError) as error:
            print(f"{address}:{port}: {error}", file=sys.stderr)
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


def ssh_command(session: Session, stack: str, server: str, command: Sequence[str] = ()) -> int:
    """Run the system's ssh to a server; its exit code is the command's. Host keys are learned from the console, never left unchecked."""
    row, instance, host = find_server(session, stack, server)
    folder = folder_of(session.folder, row.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = folder / "known_hosts"
    _await_host_keys(host, instance, known)
    place = Path(tempfile.mkdtemp(prefix="se-ssh-"))
    waiting = socket.socket(socket.AF_UNIX)
    waiting.bind(str(place / "s"))
    waiting.listen(1)
    threading.Thread(target=_carry_one, args=(waiting, reach_of(session, row, instance), instance.identity["address"]), daemon=True).start()
    identity = folder / "id_ed25519"
    proxy = f"{shlex.quote(sys.executable)} -m stackengine.service.carry {shlex.quote(str(place / 's'))}"
    arguments = ["ssh", "-F", "/dev/null", "-o", f"ProxyCommand={proxy}", "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
                 "-o", f"HostKeyAlias={_alias(instance)}", "-o", "LogLevel=ERROR", "-l", "root"]  # fmt: skip
    if identity.is_file():
        arguments += ["-i", str(identity), "-o", "IdentitiesOnly=yes"]
    try:
        return subprocess.run([*arguments, server, *command], check=False).returncode
    except FileNotFoundError as error:
        raise ServiceError("ssh is not installed", hint="apt-get install openssh-client") from error
    finally:
        waiting.close()
        shutil.rmtree(place, ignore_errors=True)


def _carry_one(waiting: socket.socket, host: Any, address: str) -> None:
    """One connection of ssh's ProxyCommand to port 22 of the guest (ssh closes descriptors that it did not open, so it comes by a socket file)."""
    try:
        client, _ = waiting.accept()
    except OSError:
        return
    _serve(client, host, address, 22)


def _alias(instance: Instance) -> str:
    return f"{instance.identity['uuid']}"


def _await_host_keys(host: Any, instance: Instance, known: Path) -> None:
    """Learn the host keys, waiting for a guest that has not printed them yet; ServiceError after `HOST_KEYS_WITHIN`."""
    until, said = time.monotonic() + HOST_KEYS_WITHIN, False
    while True:
        try:
            return _learn_host_keys(host, instance, known)
        except ServiceError:
            info = host.domain_info(instance.identity["uuid"])
            if time.monotonic() > until or info is None or info.state != "running":
                raise
        if not said:
            print(f"waiting until {instance.path} tells its SSH host keys on its console; Ctrl-C ends it", file=sys.stderr, flush=True)
            said = True
        time.sleep(FOLLOW_EVERY)


def _learn_host_keys(host: Any, instance: Instance, known: Path) -> None:
    """Host keys that the guest printed on its console (cloud-init does, and the tiny guest): a channel that only the host can write."""
    alias = _alias(instance)
    have = known.read_text() if known.is_file() else ""
    keys = list(dict.fromkeys(KEY_LINE.findall(host.domain_console_tail(instance.identity["uuid"], 256 << 10))))
    fresh = [f"{alias} {key}\n" for key in keys if f"{alias} {key}" not in have]
    if fresh:
        with known.open("a") as out:
            out.writelines(fresh)
    elif alias not in have:
        raise ServiceError(f"{instance.path} has not told its SSH host keys yet", hint="it may still be booting: try again, or see 'stack-run logs'")
