"""Forks: a cut comes to life in a private host of its own, with the same addresses, disks, memories and open connections; and resets, which bring an
environment back to a cut of its own.

A fork has its parent's seed, hence all its identities: nothing of the parent is in the other host, so nothing collides. What stands outside of it is
its own: published ports and whatever a resource calls are left out, and made by the update that follows.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stackengine.events import Event
from stackengine.model.codec import instance_from_json, instance_to_json
from stackengine.model.instance import MACHINE, Instance
from stackengine.model.values import SecretRef
from stackengine.sdk import HostError
from stackengine.service import keys
from stackengine.service.environments import cuts, renew, up
from stackengine.service.environments.cuts import Cut
from stackengine.service.environments.life import TAG
from stackengine.service.environments.park import for_each, still
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, ServiceError
from stackengine.store import forks
from stackengine.store.store import StackRow
from stackengine.store.vault import StackVault

_SECRET = re.compile(r'"\$secret": ?"([0-9a-f]{32})"')
_RECORD = re.compile(r"<se:record\b.*?</se:record>|<se:record\s*/>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Forked:
    """A fork that runs; ``missed``: what of a guest could not be renewed, by guest."""

    row: StackRow
    missed: dict[str, str]


def fork(
    session: Session, wanted: up.Wanted, parent: up.Environment | None, cut: Cut | None = None, policies: Sequence[str] = (), *, let_in: bool = False
) -> Forked:  # fmt: skip
    """Bring a cut (None: a fresh one of ``parent``) to life as the environment that is wanted.

    ``let_in``: its record is there, as it was given room (:func:`.quota.enter`).

    ServiceError when that one is there already, or the parent cannot be cut. Whatever fails half-way is taken down again; the reaper finds what a
    crash leaves. Nobody else works on it meanwhile.
    """
    if cut is None:
        assert parent is not None
        reason = cuts.why_not(session, parent)
        if reason:
            raise ServiceError(f"{parent.row.name} cannot be forked: {reason}", hint=f"stack-run env show {parent.row.name} says how it stands")
    row = _begin(session, cut.parent if cut is not None else parent.row.name if parent is not None else "", wanted, let_in=let_in)
    with session.store.ownership(row.id) as lock:
        if not lock.take():
            raise ServiceError(f"somebody else begins {row.name} just now", hint="stack-run env ls")
        try:
            with ThreadPoolExecutor(1) as aside:  # the new host starts while the parent is cut
                starting = aside.submit(session.host, row.host)
                whole = cut or cuts.take(session, parent)  # type: ignore[arg-type]
                host: Any = starting.result()
            _hold(session, whole, row)
            return _bring(session, host, whole, row, policies)
        except (HostError, *REFUSALS) as error:
            _undo(session, row)
            raise ServiceError(f"{row.name} cannot be forked: {error}", hint=error.hint) from error


def _bring(session: Session, host: Any, cut: Cut, row: StackRow, policies: Sequence[str]) -> Forked:
    data, change = cut.data, _changes(session, cut, row)
    for xml in _in_order(data["filters"]):
        host.filter_define(change(xml))
    for xml in data["networks"]:
        host.network_start(host.network_define(change(xml)).uuid)
    for uuid, entry in data.get("metadata", {}).items():
        host.serve_metadata(uuid, entry)
    volumes = Path(host.pool_info("default").path)
    _bring_files(cut, row, volumes)
    guests = _guests(cut)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda g: host.guest_restored(g, cut.folder, volumes, change), guests))
    host.pool_refresh("default")
    instances = _record(session, cut, row)
    uuids: list[str] = [g.uuid for g in guests if g.memory]
    for_each(uuids, host.domain_resume)
    names = {str(i.identity["uuid"]): i.path for i in instances if "nics" in i.identity}
    said: list[str] = for_each(uuids, lambda u: renew.renew(host, u, policies, row.name))
    return Forked(session.store.stack_of(row.id), {names.get(u, u): s for u, s in zip(uuids, said, strict=True) if s})


def _undo(session: Session, row: StackRow) -> None:
    """Nothing was carried out on it yet: its host goes with all that is on it, and its record."""
    from stackengine.hosts import private

    session.forget(row.host)
    with contextlib.suppress(HostError):
        private.remove(row.name, session.folder)
    session.store.drop_unused(row.id)


def _guests(cut: Cut) -> list[Any]:
    from stackengine.hosts.frozen import from_data

    return [from_data(g) for g in cut.data["guests"]]


def check_new(session: Session, name: str) -> None:
    """ServiceError when an environment of this name is there: a fork is a new one."""
    if session.store.stack(name) is not None:
        raise ServiceError(f"{name} is there already", hint=f"a fork is a new environment: stack-run env down {name}, or another --branch")


def _begin(session: Session, parent: str, wanted: up.Wanted, *, let_in: bool) -> StackRow:
    """Record the fork before anything is made of it."""
    known = session.store.stack(wanted.name) if let_in else None
    if known is not None:
        up.change(session, known, lambda life: up.life_from(life, replace(wanted, parent=parent), known.created_at))
        return session.store.stack_of(known.id)
    check_new(session, wanted.name)
    uri = f"private://{wanted.name}"
    row = session.store.fresh(wanted.name, uri, "")
    life = up.life_from(up.fresh_life(wanted, uri), wanted, row.created_at)
    row.tags[TAG] = replace(life, parent=parent).to_tags()
    session.store.record(row)
    return row


def _hold(session: Session, cut: Cut, row: StackRow) -> None:
    """From now on the fork holds the cut."""
    with cuts.sweeping(session):
        cuts.find(session, cut.id)
        below = (cut.id, *cut.data["stands_on"])
        up.change(session, row, lambda life: replace(life, commit=str(cut.data["commit"]), cuts=below))


def _changes(session: Session, cut: Cut, row: StackRow) -> Callable[[str], str]:
    """What makes the parent's XML the fork's: paths, and whose it is."""
    here = str(session.folder / "hosts" / row.name)

    def change(xml: str) -> str:
        xml = _RECORD.sub("", xml.replace(f"{cut.data['folder']}/", f"{here}/"))
        for quote in "\"'":
            xml = xml.replace(f"stack-id={quote}{cut.data['stack']}{quote}", f"stack-id={quote}{row.id}{quote}")
            xml = xml.replace(f" stack={quote}{cut.parent}{quote}", f" stack={quote}{row.name}{quote}")
        return xml

    return change


def _in_order(filters: Sequence[str]) -> list[str]:
    """Filters, each after those that it refers to."""
    left = {str(re.findall(r"<filter name=['\"]([^'\"]+)", x)[0]): x for x in filters}
    found: list[str] = []
    while left:
        ready = [n for n, x in left.items() if not (set(re.findall(r"<filterref filter=['\"]([^'\"]+)", x)) & (left.keys() - {n}))]
        found += [left.pop(n) for n in ready or list(left)]
    return found


def _bring_files(cut: Cut, row: StackRow, volumes: Path) -> None:
    """Seeds, records and volumes that no guest had, and the keys of the stack."""
    for file in sorted((cut.folder / "files").iterdir()):
        if file.suffix == ".json":
            record = json.loads(file.read_text("utf-8").rstrip("\0 "))
            if record.get("stack_id") == cut.data["stack"]:
                record |= {"stack_id": row.id, "stack": row.name}
                record.pop("instance", None)  # the record for a lost database comes back with the next update
                record.pop("recovery", None)
            text = json.dumps(record, sort_keys=True)
            (volumes / file.name).write_text(text + " " * (-len(text) % 512), "utf-8")
        else:
            cuts.copy_file(file, volumes / file.name)


def _record(session: Session, cut: Cut, row: StackRow) -> list[Instance]:
    """Record the fork's objects, as its own; secrets are sealed anew for it."""
    store, data = session.store, cut.data
    if (cut.folder / "keys").is_dir():
        shutil.copytree(cut.folder / "keys", keys.folder_of(session.folder, row.id), dirs_exist_ok=True)
    text = json.dumps({"instances": data["instances"], "revision": data["revision"]})
    text = text.replace(f"{data['folder']}/", f"{session.folder / 'hosts' / row.name}/").replace(json.dumps(data["host"])[1:-1], row.host)
    old, vault = StackVault(store.database, f"cut-{cut.id}", store.key), store.vault(row.id)
    for id_ in set(_SECRET.findall(text)):
        text = text.replace(id_, vault.seal(old.open(SecretRef(id_, 1))).id)
    brought = json.loads(text)
    forks.record_revision(store.database, row.id, brought["revision"], list(vault.take_new()))
    instances = [i for i in map(instance_from_json, brought["instances"]) if not _stands_outside(session, i)]
    events = [Event("instance.imported", i.path, i.generation, "", {"instance": instance_to_json(i), "reason": f"forked from {cut.parent}"}) for i in instances]
    claims = {c: i.id for i in instances for c in i.claims}
    seed = base64.b64decode(data["seed"])
    settings = {"state": "complete", "revision": 1, "parent": data["stack"], "seed": seed, "language": data["language"]}
    store.amend(store.stack_of(row.id), events, {i.id: i for i in instances}, settings=settings, claims=claims)
    return instances


def _stands_outside(session: Session, instance: Instance) -> bool:
    """Whether an object is not inside the host that is forked: a port of this machine, something that a program or service made."""
    info = session.registry.get(instance.type)
    calls = info is not None and any(s.get("calls") for s in info.properties.values())
    return calls or any(c.host == MACHINE for c in instance.claims)


def reset(session: Session, found: up.Environment, cut: Cut) -> dict[str, str]:
    """Bring an environment back to a cut of its own, disks and memories; what could not be renewed, by guest.

    ServiceError when the stack has changed since: then its guests are not those of the cut.
    """
    if cut.data["stack"] != found.row.id:
        raise ServiceError(f"the cut {cut.id} is not of {found.row.name}, but of {cut.parent}", hint="stack-run env cuts lists them")
    with still(session, found.row), cuts.sweeping(session):
        row = session.store.stack_of(found.row.id)
        now = {i.id for i in session.store.recorded(row.id).instances.values()}
        if row.revision != cut.data["revision"]["number"] or now != {instance_from_json(i).id for i in cut.data["instances"]}:
            raise ServiceError(f"{row.name} has changed since the cut {cut.id}", hint="take another one")
        host: Any = session.host(row.host)
        guests, volumes = _guests(cut), Path(host.pool_info("default").path)
        try:
            for_each([g.uuid for g in guests], host.domain_destroy)
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda g: host.guest_restored(g, cut.folder, volumes, str), guests))
            host.pool_refresh("default")
            uuids = [g.uuid for g in guests if g.memory]
            for_each(uuids, host.domain_resume)
        except HostError as error:
            raise ServiceError(f"{row.name} cannot be reset: {error}", hint=f"stack-run repair {row.name}") from error
    return {u: said for u, said in zip(uuids, for_each(uuids, lambda u: renew.renew(host, u, (), row.name)), strict=True) if said}
