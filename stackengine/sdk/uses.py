"""Disks that are used and were not made by us: a record of the use, and whose they are.

What carries another owner's record is his, on every kind of host; and a disk that one stack uses alone is used by no other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackengine.sdk.context import Context
from stackengine.sdk.errors import ExistsError
from stackengine.sdk.volumes import RECORDS, record_of, record_on, record_place, write_record

USED = ".used"
"""Ending of the name under which a use is recorded."""


def note_use(ctx: Context, name: str, disk: str, more: Mapping[str, Any], *, alone: bool) -> None:
    """Leave a record that this stack uses ``disk`` (``POOL/NAME``, or the address of a disk on the network), which it did not make.

    :class:`ExistsError` when somebody has it: who made it, or who uses it where one of the two wants it ``alone``.
    """
    if "://" not in disk:
        pool, _, volume = disk.partition("/")
        if whose := owner_of(ctx, pool, volume):
            gone = f"; where that is gone, delete its mark: virsh vol-delete --pool {' '.join(record_place(ctx.host, pool, volume))}"
            raise ExistsError(f"the volume {volume} in pool {pool} {whose}", hint=f"a copy may be had of snapshots and kept copies: source{gone}")
    for place, other in _uses_of_others(ctx):
        if other.get("uses") == disk and (alone or other.get("alone")):
            hint = f"shared or read_only, said of both, lets several use it; where that stack is gone: virsh vol-delete --pool {RECORDS} {place}"
            raise ExistsError(f"the disk {disk} is used by {_named(ctx, other)}", hint=hint)
    record = {**ctx.owner(), **more, "uses": disk, "alone": alone, "whole": True}
    if record_of(ctx, RECORDS, name) != record:
        write_record(ctx, RECORDS, name, record)


def is_noted(ctx: Context, name: str) -> bool:
    """Whether there is such a record."""
    return ctx.host.volume_info(RECORDS, f"{name}.json") is not None


def forget_use(ctx: Context, name: str) -> None:
    """Take it away; no error when it is not there."""
    ctx.host.volume_delete(RECORDS, f"{name}.json")


def owner_of(ctx: Context, pool: str, name: str) -> str:
    """Who else has a volume, as the end of a sentence; empty when nobody has, or this stack: a volume with no record is nobody's.

    Copies that were kept are their first owner's, images are the host's, and so are the records themselves.
    """
    if name.endswith(".json") and _is_record(ctx, pool, name):
        return "is a record of stackengine's own"
    known = record_of(ctx, pool, name)
    if known is None:
        return ""
    of = known.get("of")
    owner = of if isinstance(of, dict) else known
    if owner.get("stack_id") == ctx.stack_id:
        return ""
    return f"belongs to {_named(ctx, owner)}" if owner.get("stack_id") else "is an image of this host"


def _is_record(ctx: Context, pool: str, name: str) -> bool:
    return (record_on(ctx.host, pool, name.removesuffix(".json")) or {}).get("whole") is not None


def _named(ctx: Context, record: Mapping[str, Any]) -> str:
    """The stack of a record; another store's stack may have the same name as one of ours."""
    other = " of another store" if record.get("store") != ctx.owner().get("store") else ""
    return f"the stack {record.get('stack')}{other} ({record.get('path')})"


def _uses_of_others(ctx: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """(volume with the record, record) of each use by another stack; what is used twice in one stack is the planner's to say."""
    if ctx.host.pool_info(RECORDS) is None:
        return
    for file in ctx.host.volume_names(RECORDS):
        if file.endswith(f"{USED}.json"):
            found = record_of(ctx, RECORDS, file.removesuffix(".json")) or {}
            if found.get("stack_id") != ctx.stack_id:
                yield file, found
