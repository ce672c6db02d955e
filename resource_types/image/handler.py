"""SE::Image: a guest image on a host, fetched once and named by its content."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from stackengine import sdk


class Image(sdk.ResourceType):
    """The content is host-owned: it stays when the stack goes, and the next one finds it."""

    name: ClassVar[str] = "SE::Image"

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        stream, _, _ = ctx.open_source(f"describe:{want['source']}", "")
        known = json.loads(stream.read())
        attributes: dict[str, Any] = {"kind": known["kind"], "cmdline": known.get("cmdline", ""), "user": known.get("user", "")}
        for part, source in known["sources"].items():
            expected = want.get("sha256", "") if part == "disk" else ""
            ctx.progress(f"fetching {source}")
            attributes.update(self._part(ctx, want["pool"], part, source, expected))
        return attributes

    def _part(self, ctx: sdk.Context, pool: str, part: str, source: str, expected: str) -> dict[str, Any]:
        data, length, sha256 = ctx.open_source(source, expected)
        with data:
            head = data.read(32)
            data.seek(0)
            form = "qcow2" if head.startswith(b"QFI\xfb") else "raw"
            suffix = form if part == "disk" else part
            found = sdk.ensure_content(ctx, pool, f"{sha256[:32]}.{suffix}", data, length, {"kind": "image", "source": source, "sha256": sha256})
        if part != "disk":
            return {part: found.path}
        virtual = int.from_bytes(head[24:32], "big") if form == "qcow2" else length
        return {"path": found.path, "format": form, "capacity": virtual}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        """The content stays: other stacks stand on it."""
