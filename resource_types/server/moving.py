"""A server goes to another host as it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackengine import sdk

from . import definition as xml_of
from . import rescue, seeds
from .disks import FIRMWARE, Disk, disc, disk_name
from .filters import groups_of, make_filters

System = Callable[[], tuple[sdk.Properties, Mapping[str, Any], list[Disk]]]
"""Makes the disks here, and gives what the system is told, its image, and them."""


def arrives(ctx: sdk.Context, pool: str, system: System) -> None:
    """See to it that the guest runs at ``ctx.host``: it comes from the other end, unless it is here already."""
    uuid, origin = str(ctx.identity["uuid"]), ctx.origin
    here = ctx.host.domain_info(uuid)
    there = origin.domain_info(uuid) if origin is not None else None
    if origin is None or there is None or (here is not None and here.state == "running"):
        return
    if there.state in ("running", "paused"):
        _carry(ctx, pool, system, origin, there)
    elif _has_disks(there.xml):
        raise sdk.FailedError("it does not run, and its disks are copied only as it runs", hint="stack-run start it first")


def _carry(ctx: sdk.Context, pool: str, system: System, origin: sdk.Host, there: sdk.DomainInfo) -> None:
    """Define it here with empty disks over the same images, and let it come; what an earlier try left here is worth nothing, as it runs there."""
    ctx.host.domain_destroy(there.uuid)
    for name in (disk_name(ctx.identity), rescue.disk_name(ctx.identity)):
        sdk.remove_volume(ctx, pool, name)
    want, image, bootable = system()
    seed = seeds.made(ctx, want, image)
    disks = [*bootable, *disc(ctx, want, bool(bootable)), *([] if seed.device == FIRMWARE else [seed])]
    pinned = ctx.attributes.get("pinned") or xml_of.pins(there.xml, {})
    definition = xml_of.definition(ctx, want, image, disks, "", pinned, seed.path if seed.device == FIRMWARE else "")
    ctx.host.domain_define(definition)
    make_filters(ctx, groups_of(ctx, want))
    origin.domain_resume(there.uuid)  # a try that was cut off may have left it standing still
    ctx.progress(f"its memory and disks go from {origin.name} to {ctx.host.name}")
    origin.domain_migrate(there.uuid, ctx.host, definition, ctx.address, ctx.check)


def _has_disks(xml: str) -> bool:
    disks = xml_of.disks_of(xml, "ua-").values()
    return any(d.get("device") == "disk" and d.find("readonly") is None for d in disks)


def staying(want: sdk.Properties) -> str:
    """Why it cannot move; empty where it can."""
    if want.get("power") in ("stopped", "suspended"):
        return "it does not run, and its disks are copied only as it runs"
    return "its volumes stay on their host" if want.get("volumes") else ""
