"""What a volume starts with: an image, another volume, a snapshot, or a copy that somebody kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from stackengine import sdk


@dataclass(frozen=True, slots=True)
class Origin:
    """A volume whose content another one starts with."""

    pool: str
    name: str
    capacity: int
    """Bytes."""
    format: str
    path: str = ""
    """Of an image's base, over which a layer may stand."""


def origin(ctx: sdk.Context, want: sdk.Properties) -> Origin | None:
    """What it starts with; None: it is empty. FailedError where that is not to be had."""
    if want.get("image"):
        return _image(ctx, want)
    if not want.get("source"):
        return None
    source = ctx.referred(want["source"])
    if source is None:
        return _outside(ctx, str(want["source"]), want["pool"])
    pool = str(source.identity.get("pool") or source.properties["pool"])
    return Origin(pool, str(source.identity["volume_name"]), int(source.attributes["capacity"]), str(source.properties.get("format") or ""))


def _image(ctx: sdk.Context, want: sdk.Properties) -> Origin:
    image = ctx.referred(want["image"])
    if image is None or not image.attributes.get("path"):
        named = image.properties["source"] if image is not None else want["image"]
        raise sdk.FailedError(f"the image {named} has no disk", hint="name an image with a disk: stack-run images ls")
    path = str(image.attributes["path"])
    return Origin(str(image.properties["pool"]), PurePath(path).name, int(image.attributes["capacity"]), str(image.attributes["format"]), path)


def _outside(ctx: sdk.Context, said: str, pool: str) -> Origin:
    """A volume that no resource of the stack is: ``NAME`` of the same pool, or ``POOL/NAME``. Another stack's own disks are none of ours."""
    where, slash, name = said.rpartition("/")
    place = (where, name) if slash else (pool, said)
    found = ctx.host.volume_info(*place)
    if found is None:
        raise sdk.FailedError(f"there is no volume {place[1]} in the pool {place[0]}", hint="stack-run show tells the names of snapshots and kept copies")
    known = sdk.record_on(ctx.host, *place) or {}
    if known.get("stack_id") not in (None, ctx.stack_id) and not known.get("snapshot"):
        raise sdk.FailedError(f"the volume {name} belongs to the stack {known.get('stack')}", hint="only its snapshots and kept copies may be copied")
    return Origin(place[0], name, found.capacity, "raw" if found.format == "luks" else found.format)
