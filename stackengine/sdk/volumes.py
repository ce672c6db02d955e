"""Volumes that are ours: made once, recognised by a sidecar record, whole or not there.

Volumes have no metadata, and libvirt cannot rename them. So each one of ours has a record beside it (``NAME.json``, a small raw volume)
that says whose it is; it is written when the volume is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any, BinaryIO

from stackengine.sdk.context import Context
from stackengine.sdk.errors import ExistsError, NotFoundError
from stackengine.sdk.host import VolumeInfo

SERIAL = 20
"""Characters of a virtio disk's serial that a guest sees (virtio specification, VIRTIO_BLK_T_GET_ID)."""


def volume_xml(name: str, capacity: int, format_: str, backing: str = "", backing_format: str = "qcow2") -> str:
    """libvirt's ``<volume>``; capacity in bytes."""
    base = f"<backingStore><path>{escape(backing)}</path><format type='{backing_format}'/></backingStore>" if backing else ""
    permissions = "<permissions><mode>0644</mode></permissions>"
    return (
        f"<volume><name>{escape(name)}</name><capacity unit='bytes'>{capacity}</capacity>"
        f"<target><format type='{format_}'/>{permissions}</target>{base}</volume>"
    )


def record_of(ctx: Context, pool: str, name: str) -> dict[str, Any] | None:
    """The sidecar record of a volume; None where there is none."""
    with contextlib.suppress(NotFoundError, ValueError):
        if ctx.host.volume_info(pool, f"{name}.json") is not None:
            found = json.loads(ctx.host.volume_download(pool, f"{name}.json", 65_536).rstrip(b"\0 ").decode())
            return found if isinstance(found, dict) else None
    return None


def write_record(ctx: Context, pool: str, name: str, record: dict[str, Any]) -> None:
    """Write a volume's sidecar record."""
    data = json.dumps(record, sort_keys=True).encode()
    data += b" " * (-len(data) % 512)
    ctx.host.volume_delete(pool, f"{name}.json")
    ctx.host.volume_create(pool, volume_xml(f"{name}.json", len(data), "raw"))
    ctx.host.volume_upload(pool, f"{name}.json", io.BytesIO(data), len(data), ctx.check)


def ensure_volume(
    ctx: Context, pool: str, name: str, capacity: int, format_: str, *, backing: str = "", backing_format: str = "qcow2",
    more: Mapping[str, Any] | None = None,
) -> VolumeInfo:  # fmt: skip
    """The volume, made if it is not there; ExistsError when something of that name is not ours. ``more`` stands in its record, too."""
    found = ctx.host.volume_info(pool, name)
    known = record_of(ctx, pool, name) if found is not None else None
    if known is not None and known.get("stack_id") != ctx.stack_id:
        raise ExistsError(f"volume {name} in pool {pool} belongs to the stack {known.get('stack')}")
    record = {**ctx.owner(), **(more or {}), "whole": True}
    if found is None:
        found = ctx.host.volume_create(pool, volume_xml(name, capacity, format_, backing, backing_format))
    if known != record:
        write_record(ctx, pool, name, record)
    return found


def ensure_copy(ctx: Context, pool: str, name: str, source: str, capacity: int, format_: str, *, more: Mapping[str, Any] | None = None) -> VolumeInfo:
    """A volume with what ``source`` (of the same pool) held when it was made; half a copy has no record, and is made again.

    ExistsError when something of that name belongs to another stack; RefusedError while a running guest writes to ``source``.
    """
    found = ctx.host.volume_info(pool, name)
    if found is not None and record_of(ctx, pool, name) is None:
        ctx.host.volume_delete(pool, name)
        found = None
    if found is None:
        ctx.progress(f"copying {source}")
        ctx.host.volume_copy(pool, source, volume_xml(name, capacity, format_))
    return ensure_volume(ctx, pool, name, capacity, format_, more=more)


def ensure_content(
    ctx: Context, pool: str, name: str, data: BinaryIO, length: int, record: dict[str, Any], *, shared: bool = False
) -> VolumeInfo:
    """A raw file with this content, uploaded once: half an upload has no record, and is made again.

    ``shared``: several stacks may make it at once, also from other hosts that have the same folder as their pool.
    """
    with ctx.alone(f"{_place(ctx, pool)}/{name}") if shared else contextlib.nullcontext():
        found = ctx.host.volume_info(pool, name)
        if found is None and shared:
            ctx.host.pool_refresh(pool)
            found = ctx.host.volume_info(pool, name)
        known = record_of(ctx, pool, name) if found is not None else None
        if found is not None and known is not None and known.get("whole"):
            return found
        if found is not None:
            ctx.host.volume_delete(pool, name)
        made = ctx.host.volume_create(pool, volume_xml(name, length, "raw"))
        ctx.host.volume_upload(pool, name, data, length, ctx.check)
        write_record(ctx, pool, name, {**record, "whole": True})
        return made


def _place(ctx: Context, pool: str) -> str:
    """Where a pool is: its folder, which several hosts of this machine may share, else the host's own name for it."""
    found = ctx.host.pool_info(pool)
    return found.path if found is not None and found.path else f"{ctx.host.uri}/{pool}"


def remove_volume(ctx: Context, pool: str, name: str) -> None:
    """Delete a volume of ours and its record; no error when they are gone. What belongs to another stack is left alone."""
    try:
        known = record_of(ctx, pool, name)
        if known is not None and known.get("stack_id") not in (None, ctx.stack_id):
            return
        ctx.host.volume_delete(pool, name)
        ctx.host.volume_delete(pool, f"{name}.json")
    except NotFoundError:
        return


def copy_name(name: str) -> str:
    """The name of the copy that stays when a volume goes by the policy Snapshot."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-kept.{ending}" if dot else f"{name}-kept"


def keep_copy(ctx: Context, pool: str, name: str) -> None:
    """Leave a copy of a volume under ``copy_name``, with a record that says whose data it was; half a copy is made again."""
    copy, found = copy_name(name), ctx.host.volume_info(pool, name)
    if found is None:
        return
    if ctx.host.volume_info(pool, copy) is not None:
        if record_of(ctx, pool, copy) is not None:
            return
        ctx.host.volume_delete(pool, copy)
    ctx.progress(f"copying to {pool}/{copy}")
    ctx.host.volume_copy(pool, name, volume_xml(copy, found.capacity, found.format))
    write_record(ctx, pool, copy, {"kept": True, "of": ctx.owner(), "whole": True})


def serial_of(path: str) -> str:
    """The serial by which a guest finds a volume's disk (/dev/disk/by-id/virtio-SERIAL): ``se-PATH``, hashed where that is over QEMU's 20 characters."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"se-{path}")
    return plain if len(plain) <= SERIAL else f"{plain[: SERIAL - 7]}-{hashlib.sha256(path.encode()).hexdigest()[:6]}"
