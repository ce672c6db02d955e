"""SE::Volume: a disk in a storage pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

GIB = 1 << 30


class Volume(sdk.ResourceType):
    """Create, grow and delete; it does not shrink."""

    name: ClassVar[str] = "SE::Volume"
    carries: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        name = f"{ids.name()}.{want['format']}"
        return {"physical_id": name, "volume_name": name}

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        source = want.get("image")
        return [sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image")] if isinstance(source, str) else []

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        size = want["size"]
        return sdk.Demand(disk=size * GIB if isinstance(size, int) else 0)

    def lasting(self, last: sdk.Properties, want: sdk.Properties) -> list[sdk.Refusal]:
        old, new = last.get("size"), want.get("size")
        if isinstance(old, int) and isinstance(new, int) and new < old:
            return [sdk.Refusal("size", f"a volume does not shrink from {old} to {new} GiB", f"say {old}, or make a new volume under another name")]
        return []

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if want.get("image") and want.get("format") == "raw":
            return [sdk.Refusal("format", "a volume over an image is a qcow2 overlay", "leave format out")]
        if want.get("image") and want.get("source"):
            return [sdk.Refusal("source", "a volume starts with an image or with another volume, not with both")]
        return []

    def holds_data(self, want: sdk.Properties) -> bool:
        return True

    def copies(self, identity: Mapping[str, Any], last: sdk.Properties) -> list[str]:
        return [f"{last['pool']}/{sdk.copy_name(identity['volume_name'])}"]

    def adopt(
        self, host: sdk.Host, physical_id: str, identity: Mapping[str, Any], want: sdk.Properties
    ) -> tuple[dict[str, Any], dict[str, sdk.Value]]:
        found = host.volume_info(want["pool"], physical_id)
        if found is None:
            raise sdk.NotFoundError(f"there is no volume {physical_id} in pool {want['pool']}", hint="name it as 'virsh vol-list' does")
        if host.volume_info(want["pool"], f"{physical_id}.json") is not None:
            raise sdk.ExistsError(f"the volume {physical_id} belongs to a stack already")
        if found.format != want["format"]:
            raise sdk.RefusedError(f"it is a {found.format} file, and the template says {want['format']}")
        capacity = found.capacity if found.capacity // GIB == want["size"] else want["size"] * GIB
        attributes = {"path": found.path, "size": want["size"], "capacity": capacity}
        return {**identity, "physical_id": physical_id, "volume_name": physical_id}, attributes

    def describe(self, host: sdk.Host, physical_id: str, want: sdk.Properties) -> sdk.Described:
        pool = str(want.get("pool") or "default")
        found = host.volume_info(pool, physical_id)
        if found is None:
            raise sdk.NotFoundError(f"there is no volume {physical_id} in pool {pool}")
        size = found.capacity // GIB
        properties = {"pool": pool, "format": found.format, "size": size}
        attributes = {"path": found.path, "size": size, "capacity": found.capacity}
        return sdk.Described({"physical_id": physical_id, "volume_name": physical_id}, properties, attributes)

    def draft(self, host: sdk.Host, physical_id: str, where: sdk.Properties) -> sdk.Draft:
        found = self.describe(host, physical_id, where).properties
        unsaid = []
        if host.volume_info(found["pool"], f"{physical_id}.json") is not None:
            unsaid.append("it belongs to a stack")
        if found["format"] not in ("qcow2", "raw"):
            unsaid.append(f"it is a {found['format']} file")
        if found["size"] < 1:
            unsaid.append("it is smaller than 1 GiB")
        properties = {"size": found["size"], **{k: found[k] for k, usual in (("pool", "default"), ("format", "qcow2")) if found[k] != usual}}
        return sdk.Draft(physical_id, physical_id.removesuffix(f".{found['format']}").removesuffix(".img"), properties, tuple(unsaid))

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "upload" in profile.features:
            return []
        return [sdk.Refusal("pool", "this host takes no uploads, so nothing could say whose a volume is")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        pool, name = want["pool"], str(ctx.identity["volume_name"])
        image = ctx.referred(want["image"]) if want.get("image") else None
        if image is not None and not image.attributes.get("path"):
            raise sdk.FailedError(f"the image {image.properties['source']} has no disk", hint="name an image with a disk: stack-run images ls")
        source = ctx.referred(want["source"]) if want.get("source") else None
        if source is not None and source.properties["pool"] != pool:
            raise sdk.FailedError(f"{source.path} is in the pool {source.properties['pool']}, and a copy of it cannot be in {pool}")
        base = {"backing": image.attributes["path"], "backing_format": image.attributes["format"]} if image else {}
        capacity = max(want["size"] * GIB, *(int(o.attributes["capacity"]) for o in (image, source) if o is not None), 0)
        more = {**_more(want), **ctx.record()}
        if source is not None:
            found = sdk.ensure_copy(ctx, pool, name, str(source.identity["volume_name"]), capacity, want["format"], more=more)
        else:
            found = sdk.ensure_volume(ctx, pool, name, capacity, want["format"], **base, more=more)
        if found.capacity < capacity:
            ctx.progress(f"growing to {want['size']} GiB")
            ctx.host.volume_resize(pool, name, capacity)
        return {"path": found.path, "size": want["size"], "capacity": max(capacity, found.capacity)}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.volume_info(last["pool"], str(ctx.identity["volume_name"]))
        if found is None:
            return None
        wanted = ctx.attributes.get("capacity")
        if found.capacity == wanted or wanted is None:  # over an image it is at least as large as that: then it is as it was made
            return {"size": last["size"]}
        if found.capacity > wanted:  # somebody let it grow, and nothing shrinks a volume
            return {"size": last["size"], sdk.DRIFT: [{"prop": "size", "expected": last["size"], "found": -(-found.capacity // GIB), "note": True}]}
        return {"size": found.capacity // GIB}

    def snapshot(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        sdk.keep_copy(ctx, last["pool"], str(ctx.identity["volume_name"]))

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        sdk.remove_volume(ctx, last["pool"], str(ctx.identity["volume_name"]))


def _more(want: sdk.Properties) -> Mapping[str, Any]:
    return {k: want[k] for k in ("name", "metadata") if want.get(k)}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """EC2's tags are metadata."""
    tags = properties.pop("$tags", None)
    if isinstance(tags, list):
        properties["metadata"] = {t["Key"]: t.get("Value", "") for t in tags if isinstance(t, dict) and isinstance(t.get("Key"), str)}
    return properties
