"""Room: how many environments, and how much of the machine, a repository, a person and everybody together may have; who finds none waits in order.

What an environment takes is kept in its tags (``room``), and so is what a waiting one wants (``wants``, since when, and until when it is believed to
be alive). Who is let in is decided by one process at a time, under a lock of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from stackengine import locks
from stackengine.model.allowed import KINDS, SCOPES, Quotas, Room
from stackengine.model.desired import Desired
from stackengine.registry import Registry
from stackengine.service import owner
from stackengine.service.environments import up
from stackengine.service.environments.life import TAG, Life, life_of
from stackengine.service.session import DEFAULT_HOST, Session
from stackengine.service.types import ServiceError
from stackengine.store.store import StackRow

LOOK_EVERY = 0.5
WAIT_LEASE = 30.0
"""Seconds that a waiting one is believed to be alive after it last said so."""
WAIT_SECONDS = 1800.0
GIB = 1 << 30


def demand(desired: Desired, registry: Registry) -> tuple[int, ...]:
    """What a stack takes: one environment, vCPUs, MiB of memory, GiB of disk (rounded up)."""
    asked = []
    for resource in desired.resources.values():
        info = registry.get(resource.type)
        if info is not None:
            asked.append(info.handler.demand(resource.properties))
    disk = sum(d.disk for d in asked)
    return (1, sum(d.vcpus for d in asked), sum(d.memory for d in asked), -(-disk // GIB))


def takes(life: Life) -> tuple[int, ...]:
    """What an environment takes now: one that lies parked has no vCPU and no memory, one that only waits nothing at all."""
    if not life.room:
        return (0, 0, 0, 0) if life.wants else (1, 0, 0, 0)
    room = tuple(life.room)
    return (room[0], 0, 0, room[3]) if life.lies_parked else room


def _same(scope: str, one: Life, other: Life) -> bool:
    return scope == "host" or getattr(one, scope) == getattr(other, scope)


def lacking(life: Life, wants: Sequence[int], others: Sequence[Life], quotas: Quotas) -> list[tuple[str, str]]:
    """(scope, text) of every limit that ``wants`` would exceed beside ``others``."""
    found = []
    for scope in SCOPES:
        limits: Room = getattr(quotas, scope)
        mates = [takes(o) for o in others if _same(scope, life, o)]
        for index, kind in enumerate(KINDS):
            limit = getattr(limits, kind)
            used = sum(m[index] for m in mates)
            if limit is not None and wants[index] and used + wants[index] > limit:
                found.append((scope, f"{scope}: {used} of {limit} {kind} taken, {wants[index]} wanted"))
    return found


def over(environments: Sequence[up.Environment], quotas: Quotas) -> dict[str, str]:
    """Names of environments that have to go for the quotas to be kept, and why: the oldest first, never a pinned one or one that is worked on."""
    going: dict[str, str] = {}
    if not quotas.any:
        return going
    staying = {e.row.name: e for e in sorted(environments, key=lambda e: e.row.created_at)}
    for name, found in list(staying.items()):
        if found.life.pinned or found.state == "running" or found.life.wants:
            continue
        others = [e.life for n, e in staying.items() if n != name]
        exceeded = lacking(found.life, takes(found.life), others, quotas)
        if exceeded:
            going[name] = f"over quota ({exceeded[0][1].partition(',')[0]}), the oldest that is not pinned"
            del staying[name]
    return going


def held_up(waiting: Sequence[Life], inside: Sequence[Life], quotas: Quotas) -> list[str]:
    """What keeps the last of ``waiting`` (in order) out; empty: it may come in.

    Who lacks room of the whole machine holds up all behind, so that a large one gets its turn; who lacks only its repository's or owner's, nobody.
    """
    taken = list(inside)
    for life in waiting[:-1]:
        missing = lacking(life, tuple(life.wants), taken, quotas)
        if not missing:
            taken.append(replace(life, room=life.wants, wants=()))
        elif any(scope == "host" for scope, _ in missing):
            return [f"one before it waits too: {missing[0][1]}"]
    return [text for _, text in lacking(waiting[-1], tuple(waiting[-1].wants), taken, quotas)]


def let_in(session: Session, wanted: up.Wanted, desired: Callable[[], Desired], tell: Callable[[str], None], limit: float = WAIT_SECONDS) -> bool:
    """:func:`enter` for what the stack takes, where the machine's owner set quotas; whether there are any."""
    quotas = owner.quotas()
    if quotas.any:
        enter(session, wanted, demand(desired(), session.registry), quotas, tell, limit)
    return quotas.any


def enter(session: Session, wanted: up.Wanted, wants: tuple[int, ...], quotas: Quotas, tell: Callable[[str], None], limit: float = WAIT_SECONDS) -> None:
    """Wait for room, in order, and take it. ServiceError when there can never be enough, or not within ``limit`` seconds; then nothing is left behind."""
    since = time.time()
    life = up.fresh_life(wanted, session.settings.host)
    never = lacking(life, wants, (), quotas)
    if never:
        hint = "who owns this machine sets quotas in owner.yaml"
        raise ServiceError(f"there will never be room for {wanted.name}: {never[0][1].replace('0 of', 'none of', 1)}", hint=hint)
    row = session.store.stack(wanted.name)
    new = row is None
    if row is None:
        row = session.store.fresh(wanted.name, session.settings.host or DEFAULT_HOST, "")
        row.tags[TAG] = replace(life, wants=wants, waiting_since=since, waiting_until=since + WAIT_LEASE).to_tags()
        session.store.record(row)
    elif _has_it_already(row, wants):
        session.store.change_tags(row.id, lambda tags: _with(tags, room=wants))
        return
    end, said, let_in = time.monotonic() + limit, "", False
    try:
        while not let_in:
            with locks.alone(locks.named(session.folder / "locks", "quota")):
                place, missing = _look(session, row.id, wants, since, quotas)
                let_in = not missing
            if not let_in:
                said = _tell(tell, wanted.name, place, missing, said)
                if time.monotonic() > end:
                    raise ServiceError(f"{wanted.name} found no room within {limit:g} s: {missing[0]}", hint="stack-run env ls; stack-run env reap")
                time.sleep(LOOK_EVERY)
    finally:
        if not let_in:
            _leave(session, row.id, new=new)


def _has_it_already(row: StackRow, wants: tuple[int, ...]) -> bool:
    """Whether it was given as much before; one that lies parked has given vCPUs and memory back."""
    life = life_of(row.tags)
    return life is not None and bool(life.room) and not life.lies_parked and all(w <= r for w, r in zip(wants, life.room, strict=True))


def _tell(tell: Callable[[str], None], name: str, place: int, missing: list[str], said: str) -> str:
    text = f"{name} waits for room, place {place} ({missing[0]})"
    if text != said:
        tell(text)
    return text


def _look(session: Session, id_: str, wants: tuple[int, ...], since: float, quotas: Quotas) -> tuple[int, list[str]]:
    """Say that we wait, look who is before us, and come in where there is room: our place, and what is missing."""
    now = time.time()
    session.store.change_tags(id_, lambda tags: _with(tags, wants=wants, waiting_since=since, waiting_until=now + WAIT_LEASE))
    lives = [(e.row.id, e.life) for e in up.ls(session)]
    queue = sorted(((x.waiting_since or 0.0, i, x) for i, x in lives if x.wants and (x.waiting_until or 0.0) > now), key=lambda w: w[:2])
    mine = next(n for n, (_, i, _) in enumerate(queue) if i == id_)
    inside = [x for i, x in lives if i != id_]
    missing = held_up([x for _, _, x in queue[: mine + 1]], inside, quotas)
    if not missing:
        session.store.change_tags(id_, lambda tags: _come_in(tags, wants))
    return mine + 1, missing


def _come_in(tags: dict[str, Any], wants: tuple[int, ...]) -> dict[str, Any]:
    """From here on the room is its own: a parked one has it before its guests are read back, so that nobody else is given the same."""
    life = life_of(tags)
    return _with(tags, room=wants, wants=(), waiting_since=None, waiting_until=None, turning=life is not None and life.parked_at is not None)


def _with(tags: dict[str, Any], **changed: Any) -> dict[str, Any]:
    life = life_of(tags)
    assert life is not None
    return {**tags, TAG: replace(life, **changed).to_tags()}


def _leave(session: Session, id_: str, *, new: bool) -> None:
    if new:
        session.store.drop_unused(id_)
    else:
        session.store.change_tags(id_, lambda tags: _with(tags, wants=(), waiting_since=None, waiting_until=None))
