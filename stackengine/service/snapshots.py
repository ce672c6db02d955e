"""Snapshots of servers: disks and, where they run, memories, all at one instant; and the way back.

A snapshot is made like a cut of an environment (``service.environments.cuts``, docs/adr/0011): the guests stand still for a moment, their disks go on in new
layers, and what was frozen stays in a folder as long as a snapshot or a disk stands on it. Both ways are written down before they begin
(``snapshot_begun``, ``restoring`` in the stack's tags), and ``resume`` finishes what a crash left.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.hosts.frozen import FrozenGuest, from_data, to_data
from stackengine.model.codec import value_to_json
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.instance import Instance
from stackengine.sdk import HostError
from stackengine.service import prepare
from stackengine.service.access import servers_of
from stackengine.service.environments import cuts, renew
from stackengine.service.environments.park import for_each, still
from stackengine.service.session import Session
from stackengine.service.types import ServiceError
from stackengine.store.store import StackRow

FILE = "snapshot.json"
BEGUN, RESTORING = "snapshot_begun", "restoring"
AT_ONCE = 4
HEAD = 1 << 16
"""Bytes at a disk's beginning that name what it stands on (docs/interop/qcow2.txt)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that is whole."""

    name: str
    id: str
    made_at: float
    """Seconds since the epoch."""
    pause: float
    """Seconds that the servers stood still."""
    servers: dict[str, dict[str, Any]]
    """Path -> the guest as it was frozen (``guest``), and its instance and properties then."""
    bytes: int = 0
    """Of memories; disks share what did not change."""

    def guests(self, paths: Sequence[str]) -> dict[str, FrozenGuest]:
        """The frozen guests by path."""
        return {p: from_data(self.servers[p]["guest"]) for p in paths}


def take(session: Session, stack: str, paths: Sequence[str] = (), name: str = "") -> Snapshot:
    """Freeze servers (none named: all of the stack); ServiceError says why it cannot be."""
    row = prepare.find_stack(session, stack)
    with still(session, row), cuts.sweeping(session):
        settle_now(session, row)
        host: Any = _host(session, row)
        chosen = _chosen(session, row, paths)
        known = {s.name for s in ls(session, stack)}
        label = name or next(n for n in (f"snapshot-{i}" for i in range(1, len(known) + 2)) if n not in known)
        if label in known:
            raise ServiceError(f"there is a snapshot {label} of {stack} already", hint="choose another --name, or delete it: stack-run snapshots --delete")
        folder = cuts.root(session) / cuts.fresh_id()
        cuts.make_folder(folder)
        uuids = [str(i.identity["uuid"]) for i in chosen]
        _tag(session, row, **{BEGUN: {"id": folder.name, "uuids": uuids}})
        try:
            guests, pause = host.guests_cut(uuids, folder)
        except HostError as error:
            settle_now(session, session.store.stack_of(row.id))
            raise ServiceError(f"no snapshot of {stack} can be made: {error}", hint=error.hint) from error
        servers = {i.path: {"guest": to_data(g), "instance": i.id, "properties": value_to_json(i.properties)} for i, g in zip(chosen, guests, strict=True)}
        found = Snapshot(label, folder.name, time.time(), pause, servers, _memory_bytes(folder, guests))
        cuts.write(folder / FILE, {"stack": row.id, "name": label, "made_at": found.made_at, "pause": pause, "servers": servers, "bytes": found.bytes})
        _tag(session, row, **{BEGUN: None})
    return found


def ls(session: Session, stack: str) -> list[Snapshot]:
    """The snapshots of a stack, oldest first."""
    row, found = prepare.find_stack(session, stack), []
    for id_ in row.tags.get(cuts.HELD, ()):
        with suppress(OSError, ValueError):
            data = json.loads((cuts.root(session) / id_ / FILE).read_text("utf-8"))
            found.append(Snapshot(data["name"], id_, data["made_at"], data["pause"], data["servers"], data["bytes"]))
    return sorted(found, key=lambda s: s.made_at)


def restore(session: Session, stack: str, name: str, paths: Sequence[str] = (), *, disks_only: bool = False) -> dict[str, str]:
    """Bring servers back to a snapshot (none named: all that are in it); what there is to say of each, by path.

    Memory comes back where the server is as it was then and is to run; else, and with ``disks_only``, it starts from its disks. ServiceError when
    a server is another one by now, or has other disks: nothing is changed then.
    """
    row = prepare.find_stack(session, stack)
    with still(session, row), cuts.sweeping(session):
        settle_now(session, row)
        snapshot = find(session, stack, name)
        strange = [p for p in paths if p not in snapshot.servers]
        if strange:
            raise ServiceError(f"the snapshot {name} has no server {strange[0]}", hint=f"it has: {', '.join(snapshot.servers)}")
        chosen = list(paths) or list(snapshot.servers)
        now = {i.path: i for i in servers_of(session, row)}
        for path in chosen:
            if path not in now or now[path].id != snapshot.servers[path]["instance"]:
                raise ServiceError(f"{path} is another server than when the snapshot {name} was made", hint="its disks are gone with the old one")
        host: Any = _host(session, row)
        _same_disks(host, snapshot, chosen)
        wish = {p: not disks_only and value_to_json(now[p].properties) == snapshot.servers[p]["properties"] for p in chosen}
        _tag(session, row, **{RESTORING: {"id": snapshot.id, "memory": wish}})
        told = {p: "it started from its disks, as it has changed since" for p in chosen if not wish[p] and not disks_only}
        return {**told, **_bring_back(session, row, snapshot, wish)}


def drop(session: Session, stack: str, name: str) -> None:
    """Delete a snapshot: its memories go at once, frozen disks when no disk stands on them any more."""
    row = prepare.find_stack(session, stack)
    with still(session, row), cuts.sweeping(session):
        settle_now(session, row)
        snapshot = find(session, stack, name)
        folder = cuts.root(session) / snapshot.id
        (folder / FILE).unlink()
        for guest in snapshot.guests(list(snapshot.servers)).values():
            if guest.memory:
                (folder / guest.memory).unlink(missing_ok=True)
        _let_go(session, row)
    cuts.sweep(session)


def find(session: Session, stack: str, name: str) -> Snapshot:
    """A snapshot by its name; ServiceError naming those that there are."""
    known = {s.name: s for s in ls(session, stack)}
    if name not in known:
        hint = did_you_mean(name, list(known)) or f"there are: {', '.join(known) or 'none'}"
        raise ServiceError(f"there is no snapshot {name} of {stack}", hint=hint)
    return known[name]


def settle(session: Session, stack: str) -> str:
    """Finish what a crash left of a snapshot or a restore; what it was, or nothing."""
    row = prepare.find_stack(session, stack)
    if not row.tags.get(BEGUN) and not row.tags.get(RESTORING):
        return ""
    with still(session, row), cuts.sweeping(session):
        return settle_now(session, session.store.stack_of(row.id))


def settle_now(session: Session, row: StackRow) -> str:
    """The same, for who works on the stack already."""
    begun, restoring = row.tags.get(BEGUN), row.tags.get(RESTORING)
    host: Any = _host(session, row) if begun or restoring else None
    try:
        if begun:
            host.guests_settled(begun["uuids"], cuts.root(session) / begun["id"])
            _tag(session, row, **{BEGUN: None})
            return "a snapshot was not made: its servers run on"
        if restoring:
            snapshot = next(s for s in ls(session, row.name) if s.id == restoring["id"])
            _bring_back(session, row, snapshot, restoring["memory"])
            return f"the restore of {snapshot.name} is complete"
    except HostError as error:
        raise ServiceError(f"what was left of a snapshot cannot be finished: {error}", hint=error.hint or f"stack-run resume {row.name}") from error
    return ""


def _bring_back(session: Session, row: StackRow, snapshot: Snapshot, memory: dict[str, bool]) -> dict[str, str]:
    """Every step may be done again."""
    host: Any = _host(session, row)
    folder, volumes = cuts.root(session) / snapshot.id, Path(host.pool_info("default").path)
    guests, now = snapshot.guests(list(memory)), {i.path: i for i in servers_of(session, row)}
    runs = {p: now[p].properties.get("power") == "running" for p in guests}

    def back(path: str) -> None:
        guest = guests[path]
        host.domain_shutdown(guest.uuid, 0, lambda: None)
        if guest.memory and memory[path] and runs[path]:
            defined = host.domain_info(guest.uuid).xml  # what it should be next may say more of its stack than it did then
            host.guest_restored(guest, folder, volumes, str)
            host.domain_define(defined)
        else:
            host.guest_disks_restored(guest, folder, volumes)

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(back, guests))
        host.pool_refresh("default")
        going = [p for p in guests if runs[p]]
        for_each([guests[p].uuid for p in going], host.domain_start)
        for_each([guests[p].uuid for p in going], host.domain_resume)
    except HostError as error:
        raise ServiceError(f"{row.name} is not restored: {error}", hint=f"stack-run resume {row.name} tries again") from error
    _tag(session, row, **{RESTORING: None})
    went_on = [p for p in going if guests[p].memory and memory[p]] if not host.simulated else []
    said = for_each([guests[p].uuid for p in went_on], lambda u: renew.renew(host, u, (), row.name))
    return {p: s for p, s in zip(went_on, said, strict=True) if s}


def _host(session: Session, row: StackRow) -> Any:
    host = prepare.open_host_of(session, row)
    if not row.host.startswith(("private://", "memory:")):
        raise ServiceError(f"{row.host} makes no snapshots: only the disks of private hosts are files of ours", hint="--host private://NAME")
    return host


def _chosen(session: Session, row: StackRow, paths: Sequence[str]) -> list[Instance]:
    known = {i.path: i for i in servers_of(session, row)}
    for path in paths:
        if path not in known:
            raise ServiceError(f"{row.name} has no server {path}", hint=did_you_mean(path, list(known)) or f"it has: {', '.join(known) or 'none'}")
    if not known:
        raise ServiceError(f"{row.name} has no servers", hint=f"stack-run show {row.name}")
    return [known[p] for p in (list(dict.fromkeys(paths)) or sorted(known))]


def _same_disks(host: Any, snapshot: Snapshot, paths: Sequence[str]) -> None:
    """ServiceError where a server has other disks than it had: their content would go to nobody, or come from nowhere."""
    for path, guest in snapshot.guests(paths).items():
        info = host.domain_info(guest.uuid)
        if info is None:
            raise ServiceError(f"{path} is gone from its host", hint="stack-run repair first")
        if set(host.written_disks(info.xml, info.name)) != {d.name for d in guest.disks}:
            hint = "attach and detach what it had then, or restore other servers"
            raise ServiceError(f"{path} has other disks than in the snapshot {snapshot.name}", hint=hint)


def _tag(session: Session, row: StackRow, **said: Any) -> None:
    """Write down what begins, or (None) that it has ended; the folder of a snapshot that begins is held from then on."""

    def change(tags: dict[str, Any]) -> dict[str, Any]:
        begun = said.get(BEGUN)
        held = {cuts.HELD: [*tags.get(cuts.HELD, ()), begun["id"]]} if begun else {}
        return {k: v for k, v in {**tags, **held, **said}.items() if v is not None}

    session.store.change_tags(row.id, change)


def _let_go(session: Session, row: StackRow) -> None:
    """Hold no longer what has no snapshot in it and no disk on it."""
    root = cuts.root(session)
    bare = [i for i in session.store.stack_of(row.id).tags.get(cuts.HELD, ()) if not (root / i / FILE).is_file()]
    while bare:
        free = [i for i in bare if not _stood_on(session, i)]
        for id_ in free:
            shutil.rmtree(root / id_, ignore_errors=True)
        session.store.change_tags(row.id, lambda tags, gone=frozenset(free): {**tags, cuts.HELD: [i for i in tags.get(cuts.HELD, ()) if i not in gone]})  # type: ignore[misc]
        bare = [i for i in bare if i not in free] if free else []


def _stood_on(session: Session, id_: str) -> bool:
    """Whether any disk of a host or of another folder says that it lies over one in this folder."""
    place = f"/{cuts.root(session).name}/{id_}/".encode()
    for file in (*session.folder.glob("hosts/*/volumes/*"), *(f for f in cuts.root(session).glob("*/*") if f.parent.name != id_)):
        with suppress(OSError), file.open("rb") as disk:
            if place in disk.read(HEAD):
                return True
    return False


def _memory_bytes(folder: Path, guests: Sequence[FrozenGuest]) -> int:
    return sum((folder / g.memory).stat().st_blocks * 512 for g in guests if g.memory and (folder / g.memory).is_file())
