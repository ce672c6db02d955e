"""SE::VolumeSnapshot: what a volume held at one instant."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk

GIB = 1 << 30


class VolumeSnapshot(sdk.ResourceType):
    """A whole copy: it stays when the volume goes, and nothing lies below it."""

    name: ClassVar[str] = "SE::VolumeSnapshot"
    carries: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        volume = ids.referred(want["volume"])
        if volume is None:
            raise sdk.RefusedError(f"the volume{sdk.named(want['volume'])} is not part of this stack", hint=sdk.EXISTING).about("volume")
        if volume.properties.get("at"):
            raise sdk.RefusedError(f"{volume.path} is a disk that another machine gives out", hint="take its snapshots there")
        name = f"{ids.name()}.{volume.properties.get('format') or 'raw'}"
        secret = {"secret": ids.uuid("secret")} if volume.properties.get("encrypted") else {}
        return {"physical_id": name, "volume_name": name, "pool": str(volume.properties.get("pool") or "default"), **secret}

    def holds_data(self, want: sdk.Properties) -> bool:
        return True

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "upload" in profile.features:
            return []
        return [sdk.Refusal("volume", "this host takes no uploads, so nothing could say whose a snapshot is")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        pool, name, secret = str(ctx.identity["pool"]), str(ctx.identity["volume_name"]), str(ctx.identity.get("secret") or "")
        more = {"snapshot": True, **{k: want[k] for k in ("name", "metadata") if want.get(k)}, **({"secret": secret} if secret else {}), **ctx.record()}
        if sdk.is_whole(ctx, pool, name):
            found = sdk.ensure_volume(ctx, pool, name, 0, "", more=more)
        else:
            found = self._taken(ctx, want, pool, name, secret, more)
        return {"path": found.path, "capacity": found.capacity, "size": -(-found.capacity // GIB)}

    @staticmethod
    def _taken(ctx: sdk.Context, want: sdk.Properties, pool: str, name: str, secret: str, more: dict[str, Any]) -> sdk.VolumeInfo:
        volume = ctx.referred(want["volume"])
        if volume is None:
            raise sdk.FailedError(f"the volume {want['volume']} is not part of this stack", hint=sdk.NAME_IT)
        kind = sdk.kind_of(ctx.host, pool)
        if not kind.copies:
            raise sdk.UnsupportedError(f"libvirt copies no volumes in a pool of the kind {kind.name}", hint="take a snapshot where the storage is")
        if secret:
            sdk.same_key(ctx, str(volume.identity["secret"]), secret, pool, name)
        source, format_ = (pool, str(volume.identity["volume_name"])), str(volume.properties.get("format") or "raw")
        return sdk.ensure_copy(ctx, pool, name, source, int(volume.attributes["capacity"]), format_, more=more, secret=secret)

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.volume_info(str(ctx.identity["pool"]), str(ctx.identity["volume_name"]))
        return {} if found is not None else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        sdk.remove_volume(ctx, str(ctx.identity["pool"]), str(ctx.identity["volume_name"]))
        if ctx.identity.get("secret"):
            ctx.host.secret_forget(str(ctx.identity["secret"]))
