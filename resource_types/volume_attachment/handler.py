"""SE::VolumeAttachment: a volume as a disk of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

LETTERS = "bcdefghijklmnopqrstuvwxyz"


class VolumeAttachment(sdk.ResourceType):
    """Attached and detached live; one writer at a time."""

    name: ClassVar[str] = "SE::VolumeAttachment"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        token, volume, server = ids.token(10, "attachment"), ids.referred(want["volume"]), ids.referred(want["server"])
        if volume is None or server is None:
            missing, kind = (want["server"], "server") if server is None else (want["volume"], "volume")
            raise sdk.RefusedError(f"the {kind} {missing} is not part of this stack")
        if server.external:
            raise sdk.RefusedError(f"{server.path} is not the stack's, so no disk is attached to it", hint="import it: then the stack may change it")
        taken = ids.claim("device", (f"{server.physical_id}/vd{letter}" for letter in LETTERS))
        device = taken.rpartition("/")[2]
        return {
            "physical_id": f"att-{token}", "alias": f"ua-att-{token}", "device": device, "serial": sdk.serial_of(volume.path),
            "server": server.physical_id, "volume": volume.physical_id,
        }  # fmt: skip

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset() if want.get("read_only") else frozenset({f"volume:{want['volume']}"})

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        return [] if "hotplug-disk" in profile.features else [sdk.Refusal("server", "this host cannot attach disks", "name the volume in the server's volumes")]

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
        from xml.etree import ElementTree as ET

        server = ctx.referred(last["server"])
        found = ctx.host.domain_info(str(server.identity["uuid"])) if server else None
        for view in (found.xml, found.live_xml) if found else ():
            disk = next((d for d in ET.fromstring(view).findall("devices/disk") if _alias(d) == ctx.identity["alias"]), None) if view else None
            if disk is not None:
                return {"read_only": disk.find("readonly") is not None}
        return None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        server = ctx.referred(last["server"])
        if server is None:
            return
        if server.going:  # a guest that shuts down leaves its file systems clean; a live detach needs one that answers, and takes the disk from under them
            ctx.host.domain_shutdown(str(server.identity["uuid"]), server.properties["shutdown_timeout"], ctx.check)
        try:
            ctx.host.domain_detach(str(server.identity["uuid"]), str(ctx.identity["alias"]))
        except sdk.NotFoundError:
            return

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        self.delete(ctx, last)


def _alias(disk: Any) -> str:
    found = disk.find("alias")
    return found.get("name", "") if found is not None else ""
