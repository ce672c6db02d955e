"""SE::Volume: a disk in a storage pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

GIB = 1 << 30


class Volume(sdk.ResourceType):
    """Create, grow and delete; shrinking is refused."""

    name: ClassVar[str] = "SE::Volume"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        name = f"{ids.name()}.{want['format']}"
        return {"physical_id": name, "volume_name": name}

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        source = want.get("image")
        return [sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image")] if isinstance(source, str) else []

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        size = want["size"]
        return sdk.Demand(disk=size * GIB if isinstance(size, int) else 0)

    def classify(self, prop: str, old: sdk.Value, new: sdk.Value, profile: sdk.Profile) -> sdk.Effect:
        return "replace" if prop == "size" and isinstance(new, int) and isinstance(old, int) and new < old else "none"

    def holds_data(self, want: sdk.Properties) -> bool:
        return True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        image = ctx.referred(want["image"]) if want.get("image") else None
        base = {"backing": image.attributes["path"], "backing_format": image.attributes["format"]} if image else {}
        capacity = max(want["size"] * GIB, int(image.attributes["capacity"]) if image else 0)
        found = sdk.ensure_volume(ctx, want["pool"], self._name(ctx.identity), capacity, want["format"], **base)
        if found.capacity < capacity:
            ctx.host.volume_resize(want["pool"], found.name, capacity)
        return {"path": found.path, "size": want["size"]}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.volume_info(last["pool"], self._name(ctx.identity))
        return {"size": -(-found.capacity // GIB)} if found else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        sdk.remove_volume(ctx, last["pool"], self._name(ctx.identity))

    @staticmethod
    def _name(identity: Mapping[str, Any]) -> str:
        return str(identity["volume_name"])
