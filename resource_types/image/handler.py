"""SE::Image: a guest image on a host, fetched once and named by its content."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import urlencode

from stackengine import sdk

from .hints import taken, without_effect

QCOW2 = b"QFI\xfb"
"""The first bytes of a qcow2 file; its virtual size stands in bytes 24 to 31 (QEMU, docs/interop/qcow2.txt)."""
PARTS = ("disk", "kernel", "initrd", "rootfs")


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Glance's architecture is one of the properties."""
    if "$architecture" in properties:
        arch = properties.pop("$architecture")
        known = properties.get("properties") or {}
        if isinstance(known, dict):
            properties["properties"] = {"hw_architecture": arch, **known}
    return properties


class Image(sdk.ResourceType):
    """The content is host-owned: it stays when the stack goes, and the next one finds it."""

    name: ClassVar[str] = "SE::Image"
    movable: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        if sdk.has_unknown(want.get("properties")):
            raise sdk.RefusedError("its properties are known only after apply", hint="what an image says of machines is known before anything runs")
        said = taken(want.get("properties") or {})
        return {"physical_id": f"image-{ids.token(12, 'image')}{'?' if said else ''}{urlencode(said)}"}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        idle = list(without_effect(sdk.known(want.get("properties"), {})))
        return [sdk.Refusal("properties", f"{', '.join(idle)}: no effect here", severity="notice")] if idle else []

    def effects(self, last: sdk.Properties, want: sdk.Properties, profile: sdk.Profile) -> Mapping[str, sdk.Effect]:
        """Other words for servers make another image of it, words for people do not."""
        before, after = (taken(sdk.known(w.get("properties"), {})) for w in (last, want))
        return {"properties": "replace"} if before != after else {}

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        source = want.get("source")
        if "disk" not in profile.image_parts and isinstance(source, str) and "/" in source:
            return [sdk.Refusal("source", "guests of this host are containers, and a disk image is no file system of one", "tiny is there for containers, too")]
        if "upload" in profile.features:
            return []
        return [sdk.Refusal("source", "this host takes no uploads, so nothing could say whose a volume is")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        simulated = ctx.host.profile.mode == "memory"
        # a simulated host runs no guest: nothing is built or fetched for it
        stream, _, _ = ctx.open_source(f"{'about' if simulated else 'describe'}:{want['source']}", "")
        known = json.loads(stream.read())
        attributes: dict[str, Any] = {"kind": known["kind"], "cmdline": known.get("cmdline", ""), "user": known.get("user", "")}
        wanted = {part: source for part, source in known["sources"].items() if part in ctx.host.profile.image_parts}
        if not wanted:
            names = " or ".join(ctx.host.profile.image_parts)
            raise sdk.UnsupportedError(f"guests of this host are made of {names}, which the image {want['source']} has not", hint="image: tiny has it")
        for part, source in wanted.items():
            if simulated:
                attributes.update(self._stand_in(ctx, want["pool"], part, source))
            else:
                ctx.progress(f"bringing {source}")
                attributes.update(self._part(ctx, want["pool"], part, source, want.get("sha256", "") if part == "disk" else ""))
        return attributes

    def _part(self, ctx: sdk.Context, pool: str, part: str, source: str, expected: str) -> dict[str, Any]:
        data, length, sha256 = ctx.open_source(source, expected)
        with data:
            head = data.read(32)
            data.seek(0)
            form = "qcow2" if head.startswith(QCOW2) else "raw"
            suffix = form if part == "disk" else part
            record = {"kind": "image", "source": source, "sha256": sha256}
            found = sdk.ensure_content(ctx, pool, f"{sha256[:32]}.{suffix}", data, length, record, shared=True, sha256=sha256)
        if part != "disk":
            return {part: found.path}
        virtual = int.from_bytes(head[24:32], "big") if form == "qcow2" else length
        return {"path": found.path, "format": form, "capacity": virtual, "sha256": sha256}

    @staticmethod
    def _stand_in(ctx: sdk.Context, pool: str, part: str, source: str) -> dict[str, Any]:
        sha256 = hashlib.sha256(source.encode()).hexdigest()
        suffix = "qcow2" if part == "disk" else part
        record = {"kind": "image", "source": source, "simulated": True}
        found = sdk.ensure_content(ctx, pool, f"{sha256[:32]}.{suffix}", io.BytesIO(b"simulated"), 9, record, shared=True)
        return {part: found.path} if part != "disk" else {"path": found.path, "format": "qcow2", "capacity": 1 << 30}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        paths = [ctx.attributes.get("path" if part == "disk" else part) for part in PARTS]
        names = [PurePath(str(path)).name for path in paths if path]
        there = names and all(ctx.host.volume_info(last["pool"], name) is not None for name in names)
        return {} if there else None

    def move(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """The content is brought to the other host, and stays where it was."""
        return self.create(ctx, want)

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        """The content stays: other stacks stand on it."""
