"""Cuts of environments: made, kept, swept. A cut is a folder with frozen layers, memories and all that is recorded of the stack at that instant.

Nothing that anybody stands on is ever deleted: the parent's disks stand on every cut that was taken of it, a fork's on the cut that it was made of
and on what that stood on. Both remember the ids (``Life.cuts``), and so does the cut of a fork (``stands_on``).
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stackengine import locks
from stackengine.model.codec import instance_to_json
from stackengine.sdk import HostError
from stackengine.service import keys
from stackengine.service.access import servers_of
from stackengine.service.environments import up
from stackengine.service.environments.life import life_of
from stackengine.service.environments.park import still
from stackengine.service.session import Session
from stackengine.service.ssh import logins
from stackengine.service.types import NotThereError, ServiceError
from stackengine.store import forks
from stackengine.store.store import StackRow

STATE = "state.json"
HELD = "snapshots"
"""Tag of a stack: the ids of the folders that its snapshots are in, or that its disks stand on."""
_LAYER = re.compile(r"\.cut-[0-9a-z]+$|\.named$")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut that is whole."""

    id: str
    folder: Path
    data: dict[str, Any]

    @property
    def parent(self) -> str:
        """The name of the environment that it was taken of."""
        return str(self.data["name"])

    @property
    def pause(self) -> float:
        """Seconds that the parent stood still."""
        return float(self.data["pause"])


def root(session: Session) -> Path:
    """Where cuts are: the same path inside and outside of every private host."""
    return session.folder / "cuts"


def held_by(row: StackRow) -> tuple[str, ...]:
    """The folders that a stack stands on."""
    life = life_of(row.tags)
    return (*(life.cuts if life is not None else ()), *row.tags.get(HELD, ()))


def why_not(session: Session, found: up.Environment) -> str:
    """Why an environment cannot be cut; empty: it can."""
    if not found.row.host.startswith("private://"):
        return f"it is on {found.row.host}, and only what is in a private host of its own can be cut"
    if found.row.revision == 0 or found.state not in ("complete", "rolled_back"):
        return f"it is {found.state}"
    if [s.name for s in session.store.stacks() if s.host == found.row.host] != [found.row.name]:
        return f"it is not alone on {found.row.host}"
    return ""


def take(session: Session, found: up.Environment, *, kept: bool = False) -> Cut:
    """Cut an environment: its guests stand still for a moment and run on. ServiceError says why it cannot be cut."""
    reason = why_not(session, found)
    if reason:
        raise ServiceError(f"{found.row.name} cannot be cut: {reason}", hint=f"stack-run env show {found.row.name} says how it stands")
    id_ = fresh_id()
    folder = root(session) / id_
    with still(session, found.row), sweeping(session):
        row = session.store.stack_of(found.row.id)
        host: Any = session.host(row.host)
        make_folder(folder)
        logins(session, row.name)  # learns the host keys that guests told as they booted: a fork's console does not have them
        uuids = [str(i.identity["uuid"]) for i in servers_of(session, row)]
        recorded = session.store.recorded(row.id)
        life = up.change(session, row, lambda x: replace(x, cuts=(*x.cuts, id_)))
        try:
            guests, pause = host.guests_cut(uuids, folder)
            _keep_files(session, row, folder, Path(host.pool_info("default").path), {d.name for g in guests for d in g.disks})
        except HostError as error:
            raise ServiceError(f"{row.name} cannot be cut: {error}", hint=error.hint) from error
        forks.keep_secrets(session.store.database, row.id, f"cut-{id_}")
        data = {
            "format": 1, "name": row.name, "stack": row.id, "host": row.host, "kept": kept, "made_at": time.time(), "pause": pause, "language": row.language,
            "commit": life.commit, "repository": life.repository, "seed": base64.b64encode(row.seed).decode(),
            "stands_on": [c for c in (*life.cuts, *row.tags.get(HELD, ())) if c != id_],
            "guests": [_guest_data(g) for g in guests], "instances": [instance_to_json(i) for i in recorded.instances.values()],
            "revision": forks.revision_data(session.store.database, row.id, row.revision),
            "networks": [n.xml for n in host.network_list()], "filters": [f.xml for f in host.filter_list() if f.name.startswith("se-")],
            "metadata": host.served_metadata(),
            "folder": str(session.folder / "hosts" / row.host.removeprefix("private://")),
        }  # fmt: skip
        write(folder / STATE, data)
    return Cut(id_, folder, data)


def _keep_files(session: Session, row: StackRow, folder: Path, volumes: Path, frozen: set[str]) -> None:
    """What else the stack has in its host: seeds and records, volumes that no guest has, and its keys."""
    (folder / "files").mkdir()
    for file in sorted(volumes.iterdir()):
        if file.is_file() and file.name not in frozen and not _LAYER.search(file.name):
            copy_file(file, folder / "files" / file.name)
    if keys.folder_of(session.folder, row.id).is_dir():
        shutil.copytree(keys.folder_of(session.folder, row.id), folder / "keys")


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, sharing its blocks where the file system can, and leaving its holes."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", "--", str(source), str(target)], check=True, stdin=subprocess.DEVNULL)


def _guest_data(guest: Any) -> dict[str, Any]:
    from stackengine.hosts.frozen import to_data

    return to_data(guest)


def fresh_id() -> str:
    """An id that no cut has."""
    return "".join(_ALPHABET[b & 31] for b in os.urandom(10))


def make_folder(folder: Path) -> None:
    """The folder of a new cut."""
    folder.mkdir(parents=True, mode=0o700)
    folder.chmod(0o711)  # guests of a plain user run as another id


def write(file: Path, data: dict[str, Any]) -> None:
    """Write a cut's state: from now on it is whole."""
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
        json.dump(data, out)
    part.replace(file)


def ls(session: Session) -> list[Cut]:
    """Cuts of whole environments, oldest first."""
    return [c for c in _all(session) if "disks" not in c.data]


def disks(session: Session) -> list[Cut]:
    """Cuts of single disks, oldest first."""
    return [c for c in _all(session) if "disks" in c.data]


def _all(session: Session) -> list[Cut]:
    found = []
    for file in root(session).glob(f"*/{STATE}"):
        try:
            found.append(Cut(file.parent.name, file.parent, json.loads(file.read_text("utf-8"))))
        except (OSError, ValueError):  # swept just now
            continue
    return sorted(found, key=lambda c: float(c.data["made_at"]))


def find(session: Session, id_: str) -> Cut:
    """A cut by its id; ServiceError naming those that there are."""
    known = ls(session)
    for cut in known:
        if cut.id == id_:
            return cut
    raise NotThereError(f"there is no cut {id_}", hint=f"there are: {', '.join(f'{c.id} of {c.parent}' for c in known) or 'none'}")


DISK_SECONDS = 14 * 86_400.0
"""How long single disks (``service.environments.provisioned``) that nobody stands on are kept after they were made."""


def _young(cut: Cut, now: float) -> bool:
    return "disks" in cut.data and now - float(cut.data["made_at"]) < DISK_SECONDS


@contextmanager
def sweeping(session: Session) -> Iterator[None]:
    """Nobody else makes, uses or sweeps cuts meanwhile."""
    with locks.alone(locks.named(session.folder / "locks", "cuts")):
        yield


def sweep(session: Session, *, everything: bool = False) -> list[str]:
    """Delete cuts that nobody stands on and nobody keeps; their ids. ``everything``: kept ones too."""
    if not root(session).is_dir():
        return []
    gone: list[str] = []
    with sweeping(session):
        held = {c for row in session.store.stacks() for c in held_by(row)}
        whole, now = {c.id: c for c in _all(session)}, time.time()
        while True:
            there = {p.name for p in root(session).iterdir()}
            below = {c for i, cut in whole.items() if i in there for c in cut.data["stands_on"]}
            kept = {i for i, cut in whole.items() if (cut.data["kept"] or _young(cut, now)) and not everything}
            free = there - held - below - kept
            if not free:
                return sorted(gone)
            for id_ in sorted(free):
                shutil.rmtree(root(session) / id_, ignore_errors=True)
                forks.forget_secrets(session.store.database, f"cut-{id_}")
                gone.append(id_)
            if there == {p.name for p in root(session).iterdir()}:  # what cannot be deleted is told by nobody, and tried again
                return sorted(gone)
