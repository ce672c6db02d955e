"""What a volume cannot be: rules between its properties, and what the kind of its pool does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stackengine import sdk
from stackengine.sdk import overlay

STARTS = ("image", "source")
MADE = (*STARTS, "size", "encrypted", "passphrase", "libvirt_overlay")
"""Properties that mean nothing for a disk that is there already."""


OVERLAY: overlay.Allowed = {
    "allocation": None,
    "target": {"compat": None, "clusterSize": None, "features": None, "nocow": None, "permissions": {"mode": None}},
}
"""What may be merged into a volume's definition: never its name, size, format, key, or what it stands on."""


def broken_rules(want: sdk.Properties) -> Iterator[sdk.Refusal]:
    """Whatever the host is."""
    yield from overlay.refusals(want, "volume", OVERLAY)
    said = [k for k in ("at", "existing") if want.get(k)]
    if said:
        for prop in (k for k in MADE if want.get(k)):
            yield sdk.Refusal(prop, f"a disk that is there already ({said[0]}) has what it has", f"leave {prop} out")
    elif not want.get("size") and not any(want.get(k) for k in STARTS):
        yield sdk.Refusal("", "it needs a size", "size: GiB; only one with an image or a source may be as large as that")
    if len(said) > 1:
        yield sdk.Refusal("existing", "it is at an address or in a pool, not both")
    if want.get("image") and want.get("source"):
        yield sdk.Refusal("source", "a volume starts with an image or with another volume, not with both")
    if want.get("passphrase") and want.get("encrypted") in (None, False) and not said:
        yield sdk.Refusal("passphrase", "only an encrypted volume has a passphrase", "say encrypted: true")
    if sdk.known(want.get("shared"), False) is True and not said and sdk.known(want.get("format"), "raw") != "raw":
        yield sdk.Refusal("shared", "several servers can write to a raw volume only", "say format: raw")
    if sdk.known(want.get("wipe"), False) is True and want.get("at"):
        yield sdk.Refusal("wipe", "a disk that another machine gives out is not wiped from here")
    yield from _address(want.get("at"))


def _address(url: Any) -> Iterator[sdk.Refusal]:
    if isinstance(url, str):
        try:
            sdk.at_address(url)
        except sdk.RefusedError as error:
            yield sdk.Refusal("at", str(error), error.hint)


def refusals(want: sdk.Properties, profile: sdk.Profile) -> Iterator[sdk.Refusal]:
    """What this host's pool of that name does not have."""
    if "upload" not in profile.features:
        yield sdk.Refusal("pool", "this host takes no uploads, so nothing could say whose a volume is")
    yield from _as_a_disk(want, profile)
    kinds, pool = dict(profile.pools), want.get("pool")
    if not kinds or not isinstance(pool, str) or pool not in kinds or want.get("at"):
        return
    kind = sdk.planned_kind(profile, pool)
    if kind is None:
        yield sdk.Refusal("pool", f"the pool {pool} is of the kind {kinds[pool]}, which is not supported", sdk.GONE.get(kinds[pool], ""))
        return
    if want.get("existing"):
        return
    if not kind.formats:
        hint = "name one that is there: existing"
        yield sdk.Refusal("pool", f"libvirt makes no volumes in a pool of the kind {kind.name}", hint)
    elif sdk.known(want.get("format"), kind.formats[0]) not in kind.formats:
        yield sdk.Refusal("format", f"a volume in a pool of the kind {kind.name} is {' or '.join(kind.formats)}", f"say format: {kind.formats[0]}")
    if sdk.known(want.get("encrypted"), False) is True and not kind.takes:
        yield sdk.Refusal("encrypted", f"volumes in a pool of the kind {kind.name} are not encrypted here", "use a pool of files (dir, fs, netfs)")
    if want.get("image") and kind.disk == "network":
        yield sdk.Refusal("image", f"libvirt cannot bring an image into a pool of the kind {kind.name}", "use a pool of files or LVM, or a source in that pool")
    if sdk.known(want.get("wipe"), False) is True and not kind.wipes:
        yield sdk.Refusal("wipe", f"libvirt does not wipe volumes in a pool of the kind {kind.name}")


def _as_a_disk(want: sdk.Properties, profile: sdk.Profile) -> Iterator[sdk.Refusal]:
    """What only QEMU's guests can have as a disk. libxl passes the key over (libxlMakeDisk): a guest of Xen would write plain text where LUKS's header is."""
    if profile.disk_bus in ("virtio", ""):  # QEMU's, or of guests that have no disks at all
        return
    if sdk.known(want.get("encrypted"), False) is True:
        yield sdk.Refusal("encrypted", "guests of this host get it without its key, and would write plain text over it", "let the guest encrypt it")
    address = want.get("at")
    if isinstance(address, str) and not address.lower().startswith("rbd:"):
        yield sdk.Refusal("at", "of disks that other machines give out, guests of this host reach Ceph's only", "use a pool of the kind iscsi, or rbd://")
