"""A server's seeds on its host, and what its metadata service says: what a guest is told of itself, brought to where it finds it."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any

from stackengine import sdk

from . import cfn_init, ec2
from . import definition as xml_of
from .disks import FIRMWARE, Disk, provisioned, seed_prefix
from .filters import groups_of
from .going_on import going_on
from .openstack import LABEL as CONFIG_DRIVE
from .openstack import Guest
from .openstack import documents as openstack_documents
from .seed import digest_of, documents, iso_of, kind_of
from .shapes import shape_of


def made(ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any]) -> Disk:
    """The seed's disk, or the file of the firmware's entry; its volume is named by its documents, so another user-data is another volume."""
    kind, guest, name = kind_of(want), _guest(ctx, want), seed_prefix(ctx.identity)
    if kind == "ignition":
        text = guest.user_data.encode()
        data = io.BytesIO(text + b" " * (-len(text) % 512))  # volumes are whole sectors, and JSON may end in blanks
        found = sdk.ensure_content(ctx, want["pool"], f"{name}{digest_of({'': guest.user_data})}.ign", data, data.getbuffer().nbytes, ctx.owner())
        return Disk(found.path, "raw", "", "", device=FIRMWARE)
    keys = list(guest.keys.values())
    below = provisioned(want, image)
    if kind == "config-drive":
        files = openstack_documents(guest)
    elif below:
        files = going_on(ctx.identity, guest.user_data, keys, below, str(image.get("user") or "root"))
    else:
        files = documents(ctx.identity, guest.user_data, keys, again=guest.again, vendor_data=guest.vendor_data)
    shape = shape_of(ctx.host.profile)
    data = iso_of(files, CONFIG_DRIVE) if kind == "config-drive" else shape.seed(files)
    name += f"{digest_of(files)}.{shape.seed_suffix}"
    found = sdk.ensure_content(ctx, want["pool"], name, data, data.getbuffer().nbytes, ctx.owner())
    return Disk(found.path, "raw", "vdzz", "ua-seed", "se-seed", read_only=True)


def serve(ctx: sdk.Context, want: sdk.Properties) -> None:
    """Let the host's metadata service tell the guest what it is."""
    if ec2.wanted(want, ctx.host.profile):
        ctx.host.serve_metadata(str(ctx.identity["uuid"]), ec2.entry(_guest(ctx, want), want, want.get("arch") or ctx.host.profile.arch))
    elif ec2.FEATURE in ctx.host.profile.features:
        ctx.host.unserve_metadata(str(ctx.identity["uuid"]))


def in_use(ctx: sdk.Context) -> set[str]:
    """The seed that a running guest was started with, which may not be the one that it is started with next."""
    runs = ctx.host.domain_info(str(ctx.identity["uuid"]))
    found = xml_of.disks_of(runs.live_xml, "ua-seed").values() if runs is not None and runs.live_xml else ()
    return {source.get("file", "").rpartition("/")[2] for disk in found if (source := disk.find("source")) is not None}


def drop(ctx: sdk.Context, pool: str, keep: Collection[str] = (), also: Collection[str] = ()) -> None:
    """Remove every seed but those of ``keep``, and the volumes ``also``; also the record of one whose volume went before a crash."""
    prefix = seed_prefix(ctx.identity)
    found = {n.removesuffix(".json") for n in ctx.host.volume_names(pool)}
    for name in sorted(n for n in found if n in also or (n.startswith(prefix) and n not in keep)):
        (sdk.remove_volume if name in also else sdk.remove_named)(ctx, pool, name)


def _guest(ctx: sdk.Context, want: sdk.Properties) -> Guest:
    """What the guest is told of itself."""
    groups = tuple(sorted({g for guard in groups_of(ctx, want).values() for g in guard.groups}))
    return Guest(
        ctx.identity, ctx.stack, want.get("user_data") or "", _keys(ctx, want), xml_of.pairs_of(want), want.get("flavor") or "",
        (want.get("image") or "").partition("?")[0], groups,
        vendor_data=_programs(ctx, want), again=want["user_data_update"] == "reboot",
    )  # fmt: skip


def _programs(ctx: sdk.Context, want: sdk.Properties) -> str:
    """What brings cfn-init and cfn-signal, where the guest has a use for one of them."""
    url = str(ctx.identity.get("signal_url") or "")
    return cfn_init.vendor_script(want.get("init") or {}, ctx.path, url) if want.get("init") or url else ""


def _keys(ctx: sdk.Context, want: sdk.Properties) -> dict[str, str]:
    """Name -> public key."""
    keys = {f"key-{n}": str(key) for n, key in enumerate(want.get("ssh_keys") or ())}
    pair = ctx.referred(want["key_name"]) if want.get("key_name") else None
    return keys if pair is None else {**keys, pair.path: str(pair.attributes["public_key"])}
