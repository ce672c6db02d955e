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
from typing import Any, BinaryIO, cast

from stackengine.sdk.context import Context
from stackengine.sdk.errors import ExistsError, FailedError, NotFoundError
from stackengine.sdk.host import Host, VolumeInfo
from stackengine.sdk.overlay import merged
from stackengine.sdk.pools import kind_of

RECORDS = "default"
"""The pool for records of volumes whose own pool cannot hold them."""
BEFORE = ".before-"
"""In the names of copies that were taken before a volume was changed: what comes after the volume's own name."""
SERIAL = 20
"""Characters of a virtio disk's serial that a guest sees (virtio specification, VIRTIO_BLK_T_GET_ID)."""


def volume_xml(name: str, capacity: int, format_: str, backing: str = "", backing_format: str = "qcow2", secret: str = "") -> str:
    """libvirt's ``<volume>``; capacity in bytes; encrypted (LUKS) where ``secret`` is the UUID of a libvirt secret."""
    base = f"<backingStore><path>{escape(backing)}</path><format type='{backing_format}'/></backingStore>" if backing else ""
    permissions = "<permissions><mode>0644</mode></permissions>"
    return (
        f"<volume><name>{escape(name)}</name><capacity unit='bytes'>{capacity}</capacity>"
        f"<target><format type='{format_}'/>{permissions}{encryption_xml(secret)}</target>{base}</volume>"
    )


def encryption_xml(secret: str) -> str:
    """libvirt's ``<encryption>`` with the secret of this UUID; empty for none (formatstorageencryption.html)."""
    return f"<encryption format='luks'><secret type='passphrase' uuid='{secret}'/></encryption>" if secret else ""


def record_place(host: Host, pool: str, name: str) -> tuple[str, str]:
    """(pool, name) of a volume's sidecar record: beside it, or in the pool ``default`` where its own pool takes no files (LVM, RBD, …)."""
    return (pool, f"{name}.json") if kind_of(host, pool).takes else (RECORDS, f"{pool}.{name}.json")


def record_of(ctx: Context, pool: str, name: str) -> dict[str, Any] | None:
    """The sidecar record of a volume; None where there is none."""
    return record_on(ctx.host, pool, name)


def record_on(host: Host, pool: str, name: str) -> dict[str, Any] | None:
    """The same without a context."""
    with contextlib.suppress(NotFoundError, ValueError):
        place = record_place(host, pool, name)
        if host.volume_info(*place) is not None:
            found = json.loads(host.volume_download(*place, 65_536).rstrip(b"\0 ").decode())
            return found if isinstance(found, dict) else None
    return None


def write_record(ctx: Context, pool: str, name: str, record: dict[str, Any]) -> None:
    """Write a volume's sidecar record."""
    data = json.dumps(record, sort_keys=True).encode()
    data += b" " * (-len(data) % 512)
    where, file = record_place(ctx.host, pool, name)
    try:
        ctx.host.volume_create(where, volume_xml(file, len(data), "raw"))
    except ExistsError:  # seldom, so that it is not asked for beforehand
        ctx.host.volume_delete(where, file)
        ctx.host.volume_create(where, volume_xml(file, len(data), "raw"))
    ctx.host.volume_upload(where, file, io.BytesIO(data), len(data), ctx.check)


def ensure_volume(
    ctx: Context, pool: str, name: str, capacity: int, format_: str, *, backing: str = "", backing_format: str = "qcow2",
    more: Mapping[str, Any] | None = None, secret: str = "", overlay: str = "",
) -> VolumeInfo:  # fmt: skip
    """The volume, made if it is not there; ExistsError when something of that name is not ours. ``more`` stands in its record, too.

    ``overlay`` is merged into what it is made of (:mod:`.overlay`).
    """
    found = ctx.host.volume_info(pool, name)
    known = record_of(ctx, pool, name) if found is not None else None
    if known is not None and known.get("stack_id") != ctx.stack_id:
        raise ExistsError(f"volume {name} in pool {pool} belongs to the stack {known.get('stack')}")
    record = {**ctx.owner(), **(more or {}), "whole": True}
    if found is None:
        found = ctx.host.volume_create(pool, merged(volume_xml(name, capacity, format_, backing, backing_format, secret), overlay))
    if known != record:
        write_record(ctx, pool, name, record)
    return found


def is_whole(ctx: Context, pool: str, name: str) -> bool:
    """Whether the volume is there, and was finished: then what it was made of is not asked for again."""
    return ctx.host.volume_info(pool, name) is not None and bool((record_of(ctx, pool, name) or {}).get("whole"))


def ensure_copy(
    ctx: Context, pool: str, name: str, source: tuple[str, str], capacity: int, format_: str, *, more: Mapping[str, Any] | None = None, secret: str = "",
    overlay: str = "",
) -> VolumeInfo:  # fmt: skip
    """A volume with what ``source`` (pool, name) held when it was made; half a copy has no record, and is made again.

    ExistsError when something of that name belongs to another stack.
    """
    found = ctx.host.volume_info(pool, name)
    if found is not None and record_of(ctx, pool, name) is None:
        ctx.host.volume_delete(pool, name)
        found = None
    if found is None:
        ctx.progress(f"copying {source[1]}")
        ctx.host.volume_copy(pool, source[1], merged(volume_xml(name, capacity, format_, secret=secret), overlay), source[0])
    return ensure_volume(ctx, pool, name, capacity, format_, more=more, secret=secret)


class _Sent(io.RawIOBase):
    """Reads on, and knows what was read: what was looked at before may be another content by now."""

    def __init__(self, data: BinaryIO) -> None:
        self._data, self._hash, self.length = data, hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = self._data.read(size)
        self._hash.update(found)
        self.length += len(found)
        return found

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def ensure_content(
    ctx: Context, pool: str, name: str, data: BinaryIO, length: int, record: dict[str, Any], *, shared: bool = False, sha256: str = ""
) -> VolumeInfo:  # fmt: skip
    """A raw file with this content, uploaded once: half an upload has no record, and is made again; one that fails is taken away.

    ``shared``: several stacks may make it at once, also from other hosts that have the same folder as their pool. ``sha256``: what the content is
    to have. It is taken of what is sent while it is sent; FailedError when that is another one, or shorter.
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
        try:
            _send(ctx, pool, name, data, length, sha256)
        except Exception:
            with contextlib.suppress(Exception):  # where it cannot be taken away, it has no record
                ctx.host.volume_delete(pool, name)
            raise
        write_record(ctx, pool, name, {**record, "whole": True})
        return made


def _send(ctx: Context, pool: str, name: str, data: BinaryIO, length: int, sha256: str) -> None:
    sent = _Sent(data)
    ctx.host.volume_upload(pool, name, cast("BinaryIO", sent), length, ctx.check)
    if sent.length != length or sha256 not in ("", sent.sha256):
        said = f"{sent.length} bytes of {length}" if sent.length != length else f"sha256:{sent.sha256} in place of sha256:{sha256}"
        raise FailedError(f"what was to be {pool}/{name} changed while it was copied: {said}", hint="do it again when nobody writes to its source")


def _place(ctx: Context, pool: str) -> str:
    """Where a pool is: its folder, which several hosts of this machine may share, else the host's own name for it."""
    found = ctx.host.pool_info(pool)
    return found.path if found is not None and found.path else f"{ctx.host.uri}/{pool}"


def remove_volume(ctx: Context, pool: str, name: str, *, wipe: bool = False) -> None:
    """Delete a volume of ours and its record; no error when they are gone. What belongs to another stack is left alone."""
    try:
        known = record_of(ctx, pool, name)
        if known is not None and known.get("stack_id") not in (None, ctx.stack_id):
            return
        if wipe:
            ctx.progress(f"overwriting {name}")
            ctx.host.volume_wipe(pool, name)
        remove_named(ctx, pool, name)
    except NotFoundError:
        return


def remove_named(ctx: Context, pool: str, name: str) -> None:
    """Delete a volume and its record without a look at whose it is: for names that hold the stack's own identity. No error when they are gone."""
    ctx.host.volume_delete(pool, name)
    ctx.host.volume_delete(*record_place(ctx.host, pool, name))


def grow(ctx: Context, pool: str, name: str, capacity: int, shutdown_timeout: float = 20) -> None:
    """Let a volume grow to ``capacity`` bytes; a running guest that has it is shut down for it and started again where the host cannot do it live."""
    used = None
    if "resize-live" not in ctx.host.profile.features:
        found = ctx.host.volume_info(pool, name)
        named = re.compile(f"=['\"]{re.escape(found.path)}['\"]") if found is not None else None
        used = next((d for d in ctx.host.domain_list() if named and d.state in ("running", "paused") and named.search(d.xml + d.live_xml)), None)
    if used is not None:
        ctx.progress(f"{used.name} is shut down, as its disk grows")
        ctx.host.domain_shutdown(used.uuid, shutdown_timeout, ctx.check)
    try:
        ctx.host.volume_resize(pool, name, capacity)
    finally:  # a guest that ran does so again, also where its disk did not grow
        if used is not None:
            ctx.host.domain_start(used.uuid)


def copy_name(name: str) -> str:
    """The name of the copy that stays when a volume goes by the policy Snapshot."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-kept.{ending}" if dot else f"{name}-kept"


def keep_copy(ctx: Context, pool: str, name: str, secret: str = "") -> None:
    """Leave a copy of a volume under ``copy_name``, with a record that says whose data it was; half a copy is made again."""
    copy = copy_name(name)
    record = {"kept": True, "of": ctx.owner(), "whole": True, **({"secret": secret} if secret else {})}
    _copy_whole(ctx, pool, name, copy, secret, record, f"copying to {pool}/{copy}")


def before_name(name: str, number: str) -> str:
    """The name of the copy that is taken before a volume is grown or written over."""
    return f"{name}{BEFORE}{number}"


def take_copy(ctx: Context, pool: str, name: str, copy: str, secret: str = "") -> None:
    """A copy of what a volume holds at one instant, under a guest that runs where the host can; half a copy is made again.

    Nothing where there is no such volume (a server that boots a kernel has no disk of its own).
    """
    record = {**ctx.owner(), **ctx.record(), "before": name, "whole": True}
    _copy_whole(ctx, pool, name, copy, secret, record, f"copying {name}, so that it can be brought back")


def _copy_whole(ctx: Context, pool: str, name: str, copy: str, secret: str, record: dict[str, Any], progress: str) -> None:
    found = ctx.host.volume_info(pool, name)
    if found is None:
        return
    if ctx.host.volume_info(pool, copy) is not None:
        if record_of(ctx, pool, copy) is not None:
            return
        ctx.host.volume_delete(pool, copy)
    ctx.progress(progress)
    ctx.host.volume_copy(pool, name, _as(found, copy, secret), pool)
    write_record(ctx, pool, copy, record)


def bring_back(ctx: Context, pool: str, name: str, copy: str, secret: str = "") -> None:
    """Make a volume again as its copy is; FailedError when that is gone, and then nothing is touched. Nobody may use the volume."""
    kept = ctx.host.volume_info(pool, copy)
    if kept is None or record_of(ctx, pool, copy) is None:
        if ctx.host.volume_info(pool, name) is None:
            return  # there was no such disk when the copies were taken
        hint = f"leave it as it is: stack-run rollback {ctx.stack} --continue --skip {ctx.path}"
        raise FailedError(f"the copy {pool}/{copy} is no longer on the host, so {name} cannot be brought back", hint=hint)
    own = record_of(ctx, pool, name) if ctx.host.volume_info(pool, name) is not None else None
    ctx.progress(f"bringing {name} back from its copy")
    ctx.host.volume_delete(*record_place(ctx.host, pool, name))
    ctx.host.volume_delete(pool, name)
    ctx.host.volume_copy(pool, copy, _as(kept, name, secret), pool)
    write_record(ctx, pool, name, own or {**ctx.owner(), **ctx.record(), "whole": True})


def _as(found: VolumeInfo, name: str, secret: str) -> str:
    """What another volume like this one is made of; ``raw`` is what libvirt calls an encrypted one when it is made."""
    return volume_xml(name, found.capacity, "raw" if found.format == "luks" else found.format, secret=secret)


def serial_of(path: str) -> str:
    """The serial by which a guest finds a volume's disk (/dev/disk/by-id/virtio-SERIAL): ``se-PATH``, hashed where that is over QEMU's 20 characters."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"se-{path}")
    return plain if len(plain) <= SERIAL else f"{plain[: SERIAL - 7]}-{hashlib.sha256(path.encode()).hexdigest()[:6]}"
