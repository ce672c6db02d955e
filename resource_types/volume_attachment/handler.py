"""SE::VolumeAttachment: a volume as a disk of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class VolumeAttachment(sdk.ResourceType):
    """Attached and detached live; one writer at a time."""

    name: ClassVar[str] = "SE::VolumeAttachment"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        token = ids.token(10, "attachment")
        device = "vd" + ids.token(2, "device").translate(str.maketrans("234567", "uvwxyz"))
        volume = ids.referred(want["volume"])
        serial = f"se-{volume.path}"[:20] if volume else f"se-{token}"
        return {"physical_id": f"att-{token}", "alias": f"ua-att-{token}", "device": device, "serial": serial}

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset() if want.get("read_only") else frozenset({f"volume:{want['volume']}"})

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        server, volume = ctx.referred(want["server"]), ctx.referred(want["volume"])
        if server is None or volume is None:
            raise sdk.FailedError("an attachment needs a server and a volume of this stack")
        xml = ctx.render(
            "disk.xml.j2", path=volume.attributes["path"], format=volume.properties["format"], read_only=want["read_only"], **dict(ctx.identity)
        )
        ctx.host.domain_attach(str(server.identity["uuid"]), xml)
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        server = ctx.referred(last["server"])
        found = ctx.host.domain_info(str(server.identity["uuid"])) if server else None
        return {} if found is not None and str(ctx.identity["alias"]) in found.xml else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        server = ctx.referred(last["server"])
        if server is None:
            return
        try:
            ctx.host.domain_detach(str(server.identity["uuid"]), str(ctx.identity["alias"]))
        except sdk.NotFoundError:
            return

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        self.delete(ctx, last)
