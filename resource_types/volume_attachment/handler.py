"""SE::VolumeAttachment: a volume as a disk of a server."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

LETTERS = "bcdefghijklmnopqrstuvwxyz"
SCSI_LETTERS = LETTERS[1:]
"""The first two are a server's own (root disk, drive)."""
CONTROLLER = "ua-att-scsi"


class VolumeAttachment(sdk.ResourceType):
    """Attached and detached live; one writer at a time."""

    name: ClassVar[str] = "SE::VolumeAttachment"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        token, volume, server = ids.token(10, "attachment"), ids.referred(want["volume"]), ids.referred(want["server"])
        if volume is None or server is None:
            missing, kind = (want["server"], "server") if server is None else (want["volume"], "volume")
            raise sdk.RefusedError(f"the {kind}{sdk.named(missing)} is not part of this stack", hint=sdk.EXISTING).about(kind)
        if server.external:
            raise sdk.RefusedError(f"{server.path} is not the stack's, so no disk is attached to it", hint="import it: then the stack may change it")
        names = [f"vd{letter}" for letter in LETTERS] if want.get("bus") != "scsi" else [f"sd{letter}" for letter in SCSI_LETTERS]
        device = ids.claim("device", (f"{server.physical_id}/{name}" for name in names)).rpartition("/")[2]
        many = {"many": True} if volume.properties.get("read_only") or volume.properties.get("shared") else {}
        return {
            "physical_id": f"att-{token}", "alias": f"ua-att-{token}", "device": device, "serial": want.get("serial") or sdk.serial_of(volume.path),
            "server": server.physical_id, "volume": volume.physical_id, **many,
        }  # fmt: skip

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        once = {f"disk:{identity['server']}/{want['volume']}"}  # a server has a volume once: one that only reads takes the place of one that writes
        return frozenset(once if want.get("read_only") or identity.get("many") else {*once, f"volume:{want['volume']}"})

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if want.get("io") == "native" and isinstance(want.get("cache", ""), str) and want.get("cache") not in ("none", "directsync"):
            return [sdk.Refusal("io", "native needs a disk that the host does not cache", "say cache: none, or directsync")]
        return []

    def guests(self, identity: Mapping[str, Any], last: sdk.Properties) -> list[str]:
        return [str(last["server"])]

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "hotplug-disk" not in profile.features:
            return [sdk.Refusal("server", "this host cannot attach disks", "name the volume in the server's volumes")]
        ignored = [k for k in ("bus", "cache", "io", "discard", "serial", "limits", "read_only") if want.get(k)] if profile.disk_bus != "virtio" else []
        return [sdk.Refusal(k, "disks of this host are not QEMU's: it would be ignored or refused", f"leave {k} out on this host") for k in ignored]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        server, volume = ctx.referred(want["server"]), ctx.referred(want["volume"])
        if server is None or volume is None:
            raise sdk.FailedError("an attachment needs a server and a volume of this stack", hint=sdk.NAME_IT)
        uuid, source = str(server.identity["uuid"]), sdk.disk_source(volume)
        if want.get("bus") == "scsi":
            self._controller(ctx, uuid)
        read_only = want["read_only"] or bool(volume.properties.get("read_only"))
        options, limits = sdk.options_of(want), sdk.limits_of(want)
        profile, identity = ctx.host.profile, dict(ctx.identity)
        if not want.get("bus"):
            identity["device"] = profile.disk_prefix + identity["device"].removeprefix("vd")
        how = {"read_only": read_only, "options": options, "limits": limits, "bus": want.get("bus") or profile.disk_bus}
        xml = ctx.render("disk.xml.j2", source=source, **how, **identity)
        ctx.host.domain_attach(uuid, xml)
        self._limit(ctx, uuid, limits)
        return {}

    @staticmethod
    def _controller(ctx: sdk.Context, uuid: str) -> None:
        """The controller that scsi disks are at, where the server has none."""
        from xml.etree import ElementTree as ET

        found = ctx.host.domain_info(uuid)
        if found is not None and ET.fromstring(found.xml).find("devices/controller[@type='scsi']") is None:
            ctx.host.domain_attach(uuid, f"<controller type='scsi' index='0' model='virtio-scsi'><alias name='{CONTROLLER}'/></controller>")

    @staticmethod
    def _drop_controller(ctx: sdk.Context, uuid: str) -> None:
        """Take the controller away with its last disk."""
        from xml.etree import ElementTree as ET

        found = ctx.host.domain_info(uuid)
        devices = ET.fromstring(found.xml).find("devices") if found is not None else None
        if devices is not None and devices.find("disk/target[@bus='scsi']") is None and devices.find(f"controller/alias[@name='{CONTROLLER}']") is not None:
            with contextlib.suppress(sdk.NotFoundError):
                ctx.host.domain_detach(uuid, CONTROLLER)

    @staticmethod
    def _limit(ctx: sdk.Context, uuid: str, wanted: Mapping[str, int]) -> None:
        """Set the limits that it should have, where it was attached before with others."""
        found = ctx.host.domain_info(uuid)
        has = [sdk.limits_in(d) for view in ((found.xml, found.live_xml) if found else ()) if (d := _disk_in(view, str(ctx.identity["alias"]))) is not None]
        if any(limits != wanted for limits in has):
            ctx.host.domain_set_limits(uuid, str(ctx.identity["device"]), {word: wanted.get(word, 0) for word in sdk.LIMITS.values()}, defined=True)

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        server = ctx.referred(last["server"])
        found = ctx.host.domain_info(str(server.identity["uuid"])) if server else None
        for view in (found.xml, found.live_xml) if found else ():
            disk = _disk_in(view, str(ctx.identity["alias"]))
            if disk is not None:
                return {"read_only": disk.find("readonly") is not None} if not ctx.identity.get("many") else {}
        return None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        server = ctx.referred(last["server"])
        if server is None:
            return
        if server.going:  # a guest that shuts down leaves its file systems clean; a live detach needs one that answers, and takes the disk from under them
            ctx.host.domain_shutdown(str(server.identity["uuid"]), server.properties["shutdown_timeout"], ctx.check)
        uuid = str(server.identity["uuid"])
        with contextlib.suppress(sdk.NotFoundError):
            ctx.host.domain_detach(uuid, str(ctx.identity["alias"]))
        if last.get("bus") == "scsi":
            self._drop_controller(ctx, uuid)

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        self.delete(ctx, last)


def _disk_in(view: str, alias: str) -> Any:
    """The disk of this alias in a domain's XML, or None."""
    from xml.etree import ElementTree as ET

    for disk in ET.fromstring(view).findall("devices/disk") if view else ():
        if disk.find(f"alias[@name='{alias}']") is not None:
            return disk
    return None
