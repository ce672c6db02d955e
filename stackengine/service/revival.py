"""After a reboot of the machine: private hosts, guests as their desired power says, and published ports come back; and the systemd unit that does it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.sdk import HostError
from stackengine.service.access import servers_of
from stackengine.service.environments.life import life_of
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, ServiceError
from stackengine.store.store import StackRow

UNIT = "stackengine.service"
AT_ONCE = 2
"""Guests of one stack that are started at a time: more of them only share the processors."""


@dataclass(frozen=True, slots=True)
class Revived:
    """What became of a stack."""

    stack: str
    host: str
    started: tuple[str, ...] = ()
    """Servers that did not run, and do."""
    problem: str = ""


def revive(session: Session) -> list[Revived]:
    """Start every host that a stack is on, and the servers that are to run; what is parked stays so. A problem of one stack stops no other."""
    return [_revived(session, row) for row in sorted(session.store.stacks(), key=lambda r: r.name) if not row.host.startswith("memory:")]


def _revived(session: Session, row: StackRow) -> Revived:
    life = life_of(row.tags)
    try:
        with session.store.ownership(row.id) as lock:
            if not lock.take() or session.store.active(row.id) is not None:
                return Revived(row.name, row.host, problem=f"an operation runs, or was left: stack-run resume {row.name}")
            host: Any = session.host(row.host)
            host.revive_ports()
            wanted = [] if life is not None and life.parked_at is not None else _asleep(session, row, host)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for started in [pool.submit(host.domain_start, uuid) for uuid, _ in wanted]:
                    started.result()
    except (HostError, *REFUSALS) as error:
        return Revived(row.name, row.host, problem=str(error))
    return Revived(row.name, row.host, tuple(path for _, path in wanted))


def _asleep(session: Session, row: StackRow, host: Any) -> list[tuple[str, str]]:
    """(uuid, path) of the servers that are to run and do not."""
    found = []
    for instance in servers_of(session, row):
        uuid = str(instance.identity["uuid"])
        if instance.properties.get("power", "running") == "running" and instance.status not in ("stopped", "released"):
            info = host.domain_info(uuid)
            if info is not None and info.state not in ("running", "paused"):
                found.append((uuid, instance.path))
    return found


def unit(state: str) -> str:
    """The text of the unit. ``state``: the --state of the commands, where it is not the usual one."""
    command = " ".join([sys.executable, "-m", "stackengine.cli.main", "--plain", "hosts", "autostart", "--now", *(["--state", state] if state else [])])
    kept = [n for n in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "STACKENGINE_STATE") if os.environ.get(n)]
    lines = [
        "[Unit]", "Description=Private hosts, servers and published ports of stackengine", "",
        "[Service]", "Type=oneshot", "RemainAfterExit=yes", *(f'Environment="{n}={os.environ[n]}"' for n in kept), f"ExecStart={command}",
        "# what it starts lives on after it", "KillMode=process", "", "[Install]", f"WantedBy={'multi-user' if os.getuid() == 0 else 'default'}.target", "",
    ]  # fmt: skip
    return "\n".join(lines)


def unit_file() -> Path:
    """Where the unit belongs: of the machine for root, else of the user."""
    if os.getuid() == 0:
        return Path("/etc/systemd/system") / UNIT
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user" / UNIT


def install(state: str) -> tuple[Path, bool]:
    """Write the unit and enable it; (file, whether systemd is here and did). ServiceError when it cannot be written."""
    file = unit_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(unit(state))
    except OSError as error:
        raise ServiceError(f"{file} cannot be written: {error.strerror}", hint="name a folder that this user may write") from error
    return file, _systemctl("daemon-reload") and _systemctl("enable", UNIT)


def remove() -> Path:
    """Disable the unit and delete it; no error when it is not there."""
    file = unit_file()
    if file.exists():
        _systemctl("disable", UNIT)
        file.unlink()
        _systemctl("daemon-reload")
    return file


def _systemctl(*words: str) -> bool:
    program = shutil.which("systemctl")
    if program is None:
        return False
    with contextlib.suppress(OSError):
        command = [program, *([] if os.getuid() == 0 else ["--user"]), *words]
        return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    return False
