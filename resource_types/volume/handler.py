"""SE::Volume: a disk in a storage pool, or one that another machine gives out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

from .origin import Origin, origin
from .rules import broken_rules, refusals
from .translation import translate

__all__ = ["Volume", "translate"]

GIB = 1 << 30


class Volume(sdk.ResourceType):
    """Create, grow and delete; it does not shrink."""

    name: ClassVar[str] = "SE::Volume"
    carries: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        there = want.get("at") or want.get("existing")
        if there:
            if not (want.get("read_only") or want.get("shared")):
                ids.claim("volume", [str(there) if want.get("at") else f"{want['pool']}/{there}"])
            return {"physical_id": f"{ids.name()}{sdk.USED}", "volume_name": str(there)}
        name = f"{ids.name()}.{want['format']}"
        secret = {"secret": ids.uuid("secret")} if want.get("encrypted") else {}
        return {"physical_id": name, "volume_name": name, **secret}

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        source = want.get("image")
        return [sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image")] if isinstance(source, str) else []

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        size = want.get("size")
        return sdk.Demand(disk=size * GIB if isinstance(size, int) else 0)

    def effects(self, last: sdk.Properties, want: sdk.Properties, profile: sdk.Profile) -> Mapping[str, sdk.Effect]:
        """Where a disk that is in use cannot grow, its server is shut down for it, if it runs."""
        return {} if "resize-live" in profile.features else {"size": "reboot"}

    def lasting(self, last: sdk.Properties, want: sdk.Properties) -> list[sdk.Refusal]:
        old, new = last.get("size"), want.get("size")
        if isinstance(old, int) and isinstance(new, int) and new < old:
            return [sdk.Refusal("size", f"a volume does not shrink from {old} to {new} GiB", f"say {old}, or make a new volume under another name")]
        return []

    def rewrites(self, identity: Mapping[str, Any], last: sdk.Properties, want: sdk.Properties) -> list[tuple[str, str]]:
        old, new = last.get("size"), want.get("size")
        grows = new > old if isinstance(old, int) and isinstance(new, int) else new is not None and old != new
        return [(last["pool"], str(identity["volume_name"]))] if grows and _own(last) else []

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        return list(broken_rules(want))

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        return list(refusals(want, profile))

    def holds_data(self, want: sdk.Properties) -> bool:
        return _own(want) or bool(want.get("wipe"))

    def copies(self, identity: Mapping[str, Any], last: sdk.Properties) -> list[str]:
        return [f"{last['pool']}/{sdk.copy_name(identity['volume_name'])}"] if _own(last) else []

    def adopt(
        self, host: sdk.Host, physical_id: str, identity: Mapping[str, Any], want: sdk.Properties
    ) -> tuple[dict[str, Any], dict[str, sdk.Value]]:
        found = host.volume_info(want["pool"], physical_id)
        if found is None:
            raise sdk.NotFoundError(f"there is no volume {physical_id} in pool {want['pool']}", hint="name it as 'virsh vol-list' does")
        if sdk.record_on(host, want["pool"], physical_id) is not None:
            raise sdk.ExistsError(f"the volume {physical_id} belongs to a stack already", hint=sdk.LET_GO)
        if found.format != want["format"]:
            raise sdk.RefusedError(f"it is a {found.format} file, and the template says {want['format']}", hint=f"format: {found.format}")
        size = want.get("size") or found.capacity // GIB
        capacity = found.capacity if found.capacity // GIB == size else size * GIB
        attributes = {"path": found.path, "size": size, "capacity": capacity}
        return {**identity, "physical_id": physical_id, "volume_name": physical_id}, attributes

    def describe(self, host: sdk.Host, physical_id: str, want: sdk.Properties) -> sdk.Described | None:
        return self._described(host, physical_id, want) if _own(want) else None

    @staticmethod
    def _described(host: sdk.Host, physical_id: str, want: sdk.Properties) -> sdk.Described:
        pool = str(want.get("pool") or "default")
        found = host.volume_info(pool, physical_id)
        if found is None:
            raise sdk.NotFoundError(f"there is no volume {physical_id} in pool {pool}", hint="name it as 'virsh vol-list' does")
        size = found.capacity // GIB
        properties = {"pool": pool, "format": found.format, "size": size}
        attributes = {"path": found.path, "size": size, "capacity": found.capacity}
        return sdk.Described({"physical_id": physical_id, "volume_name": physical_id}, properties, attributes)

    def draft(self, host: sdk.Host, physical_id: str, where: sdk.Properties) -> sdk.Draft:
        found = self._described(host, physical_id, where).properties
        unsaid = []
        if sdk.record_on(host, found["pool"], physical_id) is not None:
            unsaid.append("it belongs to a stack")
        if found["format"] not in ("qcow2", "raw"):
            unsaid.append(f"it is a {found['format']} file")
        if found["size"] < 1:
            unsaid.append("it is smaller than 1 GiB")
        properties = {"size": found["size"], **{k: found[k] for k, usual in (("pool", "default"), ("format", "qcow2")) if found[k] != usual}}
        return sdk.Draft(physical_id, physical_id.removesuffix(f".{found['format']}").removesuffix(".img"), properties, tuple(unsaid))

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        if not _own(want):
            return self._used(ctx, want)
        pool, name = str(want["pool"]), str(ctx.identity["volume_name"])
        key = {"passphrase": self._key(ctx, want, pool, name)} if want.get("encrypted") else {}
        start = None if sdk.is_whole(ctx, pool, name) else origin(ctx, want)
        capacity = max((want.get("size") or 0) * GIB, start.capacity if start is not None else int(ctx.attributes.get("capacity") or 0))
        found = self._made(ctx, want, start, capacity)
        kind = sdk.kind_of(ctx.host, pool)
        if found.capacity < capacity:
            if not kind.grows:
                raise sdk.UnsupportedError(f"libvirt grows no volume in a pool of the kind {kind.name}", hint="make a larger one with this as its source")
            ctx.progress(f"growing to {want['size']} GiB")
            sdk.grow(ctx, pool, name, capacity)
        capacity = max(capacity, found.capacity)
        disk = {} if kind.disk == "file" else {"disk": _disk(ctx, kind, pool, name)}
        return {"path": found.path, "size": want.get("size") or -(-capacity // GIB), "capacity": capacity, **disk, **key}

    def _made(self, ctx: sdk.Context, want: sdk.Properties, start: Origin | None, capacity: int) -> sdk.VolumeInfo:
        """A layer over an image where that can be, else a copy, else an empty volume; the same when it is there already."""
        pool, name, format_, secret = want["pool"], str(ctx.identity["volume_name"]), want["format"], str(ctx.identity.get("secret") or "")
        more, over = {**_more(want), **ctx.record()}, want.get("libvirt_overlay") or ""
        layered = start is not None and start.path and format_ == "qcow2" and not secret and sdk.kind_of(ctx.host, pool).disk == "file"
        if start is None or layered:
            base = {"backing": start.path, "backing_format": start.format} if start is not None else {}
            return sdk.ensure_volume(ctx, pool, name, capacity, format_, **base, more=more, secret=secret, overlay=over)
        return sdk.ensure_copy(ctx, pool, name, (start.pool, start.name), capacity, format_, more=more, secret=secret, overlay=over)

    @staticmethod
    def _key(ctx: sdk.Context, want: sdk.Properties, pool: str, name: str) -> str:
        return sdk.ensure_key(ctx, str(want.get("passphrase") or ""), str(ctx.identity["secret"]), pool, name)

    @staticmethod
    def _used(ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """A disk that is there already and is no other stack's: all that is made is a record of its use."""
        note, more, alone = str(ctx.identity["physical_id"]), {**_more(want), **ctx.record()}, not (want.get("read_only") or want.get("shared"))
        if want.get("at"):
            sdk.note_use(ctx, note, str(want["at"]), more, alone=alone)
            return {"path": want["at"], "disk": {**sdk.at_address(want["at"]), "format": "raw"}}
        pool, name = str(want["pool"]), str(want["existing"])
        found = ctx.host.volume_info(pool, name)
        if found is None:
            raise sdk.FailedError(f"there is no volume {name} in the pool {pool}", hint=f"virsh vol-list {pool}")
        sdk.note_use(ctx, note, f"{pool}/{name}", more, alone=alone)
        disk = {**_disk(ctx, sdk.kind_of(ctx.host, pool), pool, name), "format": found.format if found.format == "qcow2" else "raw"}
        return {"path": found.path, "size": found.capacity // GIB, "capacity": found.capacity, "disk": disk}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        if not _own(last):
            noted = sdk.is_noted(ctx, str(ctx.identity["physical_id"]))
            there = bool(last.get("at")) or ctx.host.volume_info(last["pool"], last["existing"]) is not None
            return {} if noted and there else None
        found = ctx.host.volume_info(last["pool"], str(ctx.identity["volume_name"]))
        if found is None:
            return None
        said, wanted = ({"size": last["size"]} if last.get("size") else {}), ctx.attributes.get("capacity")
        if found.capacity == wanted or wanted is None:  # over an image it is at least as large as that: then it is as it was made
            return dict(said)
        if found.capacity > wanted:  # somebody let it grow, and nothing shrinks a volume
            grown = {"prop": "size", "expected": last.get("size") or wanted // GIB, "found": -(-found.capacity // GIB), "note": True}
            return {**said, sdk.DRIFT: [grown]}
        return {"size": found.capacity // GIB}

    def snapshot(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        sdk.keep_copy(ctx, last["pool"], str(ctx.identity["volume_name"]), str(ctx.identity.get("secret") or ""))

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        name = str(ctx.identity["volume_name"])
        if _own(last):
            sdk.remove_volume(ctx, last["pool"], name, wipe=bool(last.get("wipe")))
            if ctx.identity.get("secret") and ctx.host.volume_info(last["pool"], sdk.copy_name(name)) is None:  # a kept copy needs it
                ctx.host.secret_forget(str(ctx.identity["secret"]))
            return
        if last.get("wipe") and sdk.is_noted(ctx, str(ctx.identity["physical_id"])) and not sdk.owner_of(ctx, last["pool"], name):
            ctx.host.volume_wipe(last["pool"], name)
        sdk.forget_use(ctx, str(ctx.identity["physical_id"]))


def _own(want: sdk.Properties) -> bool:
    """Whether it is made by us, and goes with us."""
    return not (want.get("at") or want.get("existing"))


def _disk(ctx: sdk.Context, kind: sdk.PoolKind, pool: str, name: str) -> dict[str, Any]:
    found = ctx.host.pool_info(pool)
    return sdk.in_pool(kind, found.xml if found is not None else "", name)


def _more(want: sdk.Properties) -> Mapping[str, Any]:
    return {k: want[k] for k in ("name", "metadata") if want.get(k)}
