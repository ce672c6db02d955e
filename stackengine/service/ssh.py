"""Logging in to servers by ssh, with host keys that they told on their consoles: a channel that only the host can write."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.model.instance import Instance
from stackengine.sdk import HostError
from stackengine.service import prepare
from stackengine.service.access import FOLLOW_EVERY, find_server, host_of, reach_of, servers_of
from stackengine.service.forward import Tell, serve
from stackengine.service.keys import folder_of
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

KEY_LINE = re.compile(r"((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) [A-Za-z0-9+/=]{40,})")
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


def ssh_command(session: Session, stack: str, server: str, command: Sequence[str], tell: Tell) -> int:
    """Run the system's ssh to a server; its exit code is the command's. Host keys are learned from the console, never left unchecked.

    ``tell`` gets what it waits for.
    """
    row, instance, host = find_server(session, stack, server)
    folder = folder_of(session.folder, row.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = folder / "known_hosts"
    _await_host_keys(host, instance, known, tell)
    place = Path(tempfile.mkdtemp(prefix="se-ssh-"))
    waiting = socket.socket(socket.AF_UNIX)
    waiting.bind(str(place / "s"))
    waiting.listen(1)
    threading.Thread(target=_carry_one, args=(waiting, reach_of(session, row, instance), instance.identity["address"], tell), daemon=True).start()
    identity = folder / "id_ed25519"
    proxy = f"{shlex.quote(sys.executable)} -m stackengine.service.carry {shlex.quote(str(place / 's'))}"
    arguments = ["ssh", "-F", "/dev/null", "-o", f"ProxyCommand={proxy}", "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
                 "-o", f"HostKeyAlias={_alias(instance)}", "-o", "LogLevel=ERROR", "-l", "root"]  # fmt: skip
    if identity.is_file():
        arguments += ["-i", str(identity), "-o", "IdentitiesOnly=yes"]
    try:
        return subprocess.run(command_line(arguments, server, command), check=False).returncode
    except FileNotFoundError as error:
        raise ServiceError("ssh is not installed", hint="apt-get install openssh-client") from error
    finally:
        waiting.close()
        shutil.rmtree(place, ignore_errors=True)


def command_line(arguments: Sequence[str], server: str, command: Sequence[str]) -> list[str]:
    """ssh with its options and a command that is none of them: ssh reads options after the host, too, and they can name programs of this machine."""
    return [*arguments, "--", server, *command]


def _carry_one(waiting: socket.socket, host: Any, address: str, tell: Tell) -> None:
    """One connection of ssh's ProxyCommand to port 22 of the guest (ssh closes descriptors that it did not open, so it comes by a socket file)."""
    try:
        client, _ = waiting.accept()
    except OSError:
        return
    serve(client, host, address, 22, tell)


def _alias(instance: Instance) -> str:
    return f"{instance.identity['uuid']}"


def _await_host_keys(host: Any, instance: Instance, known: Path, tell: Tell) -> None:
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
            tell(f"waiting until {instance.path} tells its SSH host keys on its console; Ctrl-C ends it")
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
