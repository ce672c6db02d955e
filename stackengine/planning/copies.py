"""Copies of disks: which are taken before an action grows disks or writes over them, and which bring disks back on the way to an earlier revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.model.instance import DiskCopy, Instance, Recorded
from stackengine.planning.choice import Choice
from stackengine.planning.ground import Ground
from stackengine.sdk import ResourceType, before_name


def usable(old: Instance, want: Mapping[str, Any], handler: ResourceType, *, returning: bool) -> DiskCopy | None:
    """The copy that ``old`` has to be brought back from; None: its disks stay as they are.

    On the way back: the newest one from which ``want`` is reached without growing or writing over a disk, if that was done since. What was
    begun to be brought back is brought back whatever comes: until then there may be no disk at all.
    """
    for copy in old.copies:
        if copy.status == "restoring":
            return copy
    for copy in reversed(old.copies if returning else ()):
        since = handler.rewrites(old.identity, copy.properties, old.properties)
        if copy.status == "whole" and since and not handler.rewrites(old.identity, copy.properties, want) and not handler.lasting(copy.properties, want):
            return copy
    return None


def take(choices: Mapping[str, Choice], recorded: Recorded, ground: Ground) -> None:
    """Say for every choice what is copied first, or why nothing can be."""
    if ground.returning:  # a rollback that fails is tried again, and goes forward
        return
    left = dict(ground.pools)
    for choice in choices.values():
        old = choice.old
        if old is None or choice.kind not in ("update", "create") or choice.restore is not None or not _there(old, recorded):
            continue
        disks = choice.info.handler.rewrites(old.identity, old.properties, choice.instance.properties)
        if not disks:
            continue
        choice.uncopied = _impossible(choice, disks, recorded, ground, left)
        if not choice.uncopied:
            number = _number(old.copies)
            choice.copy = DiskCopy(number, tuple((p, v, before_name(v, number)) for p, v in disks), old.properties, old.attributes)


def _there(old: Instance, recorded: Recorded) -> bool:
    """Whether it was whole at some time, and is there as far as anybody knows."""
    gone = old.id in recorded.observed and recorded.observed[old.id] is None
    return old.lived and not old.external and not gone


def _impossible(choice: Choice, disks: list[tuple[str, str]], recorded: Recorded, ground: Ground, left: dict[str, int]) -> str:
    old = choice.old
    assert old is not None
    if choice.resource.policies.disk_copy == "never":
        return "its policy says disk_copy: never"
    users = [old] if choice.info.schema.get("console") else [i for i in recorded.instances.values() if old.id in i.holds]
    running = [i.path for i in users if i.power != "stopped"]
    if running and "copy-live" not in ground.profile.features:
        return f"{running[0]} may run, and this host copies no disk that is in use"
    size = choice.info.handler.demand(old.properties).disk
    for pool, _ in disks:
        if pool in left and size > left[pool]:
            return f"a copy takes up to {size >> 20} MiB, and the pool {pool} has {max(left[pool], 0) >> 20} MiB free"
        if pool in left:
            left[pool] -= size
    return ""


def _number(copies: tuple[DiskCopy, ...]) -> str:
    """The next number; one that was never finished is made again."""
    if copies and copies[-1].status == "making":
        return copies[-1].id
    return str(max((int(c.id) for c in copies), default=0) + 1)
