"""Claims: what only one may have on a host, unique in the store; they are those of recorded instances."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from stackengine.model.codec import instance_from_json
from stackengine.model.instance import MACHINE, ORIGIN, Claim
from stackengine.planning.identity import overlap
from stackengine.store import tables as t
from stackengine.store.errors import ClaimConflictError


def take(connection: sa.Connection, stack_id: str, claims: Sequence[Claim], instances_of: dict[Claim, str]) -> None:
    """Take claims for instances; ClaimConflictError when another stack has one."""
    for item in claims:
        where = (t.claim.c.host == item.host, t.claim.c.kind == item.kind, t.claim.c.value == item.value)
        holder = connection.execute(sa.select(t.claim.c.stack).where(*where)).scalar()
        if holder is not None and holder != stack_id:
            raise ClaimConflictError(f"{item.kind} {item.value} on {item.host or 'this machine'} was given to another stack")
        if holder is None and item.kind == "cidr":
            _check_apart(connection, stack_id, item)
        if holder is None:
            row = {"host": item.host, "kind": item.kind, "value": item.value, "stack": stack_id, "instance": instances_of[item]}
            connection.execute(t.claim.insert(), row)
        else:
            connection.execute(t.claim.update().where(*where).values(instance=instances_of[item]))


def _check_apart(connection: sa.Connection, stack_id: str, item: Claim) -> None:
    """ClaimConflictError where another stack was given a range that has an address in common with this one."""
    c = t.claim.c
    for value in connection.execute(sa.select(c.value).where(c.host == item.host, c.kind == "cidr", c.stack != stack_id)).scalars():
        if overlap(value, item.value):
            raise ClaimConflictError(f"{value}, which overlaps with {item.value}, was given to another stack on {item.host}")


def give_back(connection: sa.Connection, stack_id: str) -> None:
    """Claims are those of recorded instances: what was claimed for one that never came is free again, or its older holder's.

    So is what one had on a host that it has left; while it is on its way, it has a piece at either end.
    """
    held = connection.execute(sa.select(t.claim.c.host, t.claim.c.kind, t.claim.c.value, t.claim.c.instance).where(t.claim.c.stack == stack_id)).all()
    ids = set(connection.execute(sa.select(t.instance.c.id).where(t.instance.c.stack == stack_id)).scalars())
    _arrived(connection, stack_id)
    hosts: dict[str, set[str]] = {}
    for instance, host in connection.execute(sa.select(t.piece.c.instance, t.piece.c.host).where(t.piece.c.stack == stack_id)):
        hosts.setdefault(instance, {MACHINE}).add(host)
    stale = [Claim(host, kind, value) for host, kind, value, instance in held if instance not in ids or host not in hosts.get(instance, {host})]
    if not stale:
        return
    bodies = connection.execute(sa.select(t.instance.c.id, t.instance.c.body).where(t.instance.c.stack == stack_id)).all()
    owners = {Claim(*c): id_ for id_, body in bodies for c in body["claims"]}
    for item in stale:
        where = (t.claim.c.host == item.host, t.claim.c.kind == item.kind, t.claim.c.value == item.value)
        if item in owners:
            connection.execute(t.claim.update().where(*where).values(instance=owners[item]))
        else:
            connection.execute(t.claim.delete().where(*where))


def _arrived(connection: sa.Connection, stack_id: str) -> None:
    """Of instances that were on their way and are not any more, the piece at the host that they have left is forgotten."""
    where = (t.piece.c.stack == stack_id, t.piece.c.piece == ORIGIN)
    moved = connection.execute(sa.select(t.piece.c.instance).where(*where)).scalars().all()
    if not moved:
        return
    query = sa.select(t.instance.c.body).where(t.instance.c.stack == stack_id, t.instance.c.id.in_(moved))
    arrived = [i.id for body in connection.execute(query).scalars() if not (i := instance_from_json(body)).origin]
    connection.execute(t.piece.delete().where(*where, t.piece.c.instance.in_(arrived)))
