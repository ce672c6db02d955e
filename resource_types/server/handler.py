"""SE::Server: a virtual machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

from .definition import definition, pins
from .identity import nic_identities
from .seed import seed_iso
from .sizes import memory_of, vcpus_of

GIB = 1 << 30


class Server(sdk.ResourceType):
    """A domain with its seed and, for disk images, a root disk over the image's base."""

    name: ClassVar[str] = "SE::Server"

    # pure

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        uuid, nics = ids.uuid(), nic_identities(ids, want.get("networks") or [])
        hostname = want.get("name")
        named = hostname if isinstance(hostname, str) else ids.path
        first = nics[0] if nics else {}
        return {
            "physical_id": uuid, "uuid": uuid, "id": uuid, "name": ids.name(50),
            "hostname": re.sub(r"[^A-Za-z0-9-]+", "-", named).strip("-")[:63] or "guest",
            "nics": nics, "address": first.get("address", ""), "mac": first.get("mac", ""),
            "networks": {n["network_path"]: [n["address"]] for n in nics},
            "addresses": {n["network_path"]: [{"addr": n["address"], "OS-EXT-IPS-MAC:mac_addr": n["mac"]}] for n in nics},
        }  # fmt: skip

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        source = want.get("image")
        return [sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image")] if isinstance(source, str) else []

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        """Reservations of NICs that have no port of their own."""
        return [
            sdk.Contribution(n["network"], "reservations", {"mac": n["mac"], "address": n["address"], "name": identity["hostname"]}, n["mac"])
            for n in identity["nics"] if not n["port"]
        ]  # fmt: skip

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset(f"mac:{n['mac']}" for n in identity["nics"])

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        return sdk.Demand(vcpus_of(want), memory_of(want), (want.get("disk") or 0) * GIB)

    def classify(self, prop: str, old: sdk.Value, new: sdk.Value, profile: sdk.Profile) -> sdk.Effect:
        """Memory can shrink and grow back live below the maximum; without a maximum, libvirt can only shrink it."""
        if prop == "memory" and ("set-memory-live" not in profile.features or not isinstance(old, int) or not isinstance(new, int) or new > old):
            return "reboot"
        return "none"

    def gate(self, identity: Mapping[str, Any], want: sdk.Properties) -> sdk.Gate | None:
        ready = want.get("ready") or {}
        kind = ready.get("gate", "running")
        if kind == "running" or want.get("power") == "stopped":
            return None
        macs = tuple(n["mac"] for n in identity["nics"])
        return sdk.Gate(kind, float(ready.get("timeout", 600)), identity["uuid"], macs, identity["address"], int(ready.get("port") or 22))

    def holds_data(self, want: sdk.Properties) -> bool:
        return True

    # on the host

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return self._bring(ctx, want, restart=False)

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        grows = memory_of(want) > max(memory_of(last), last.get("max_memory") or 0)
        restart = vcpus_of(want) != vcpus_of(last) or want.get("max_memory") != last.get("max_memory") or grows
        return self._bring(ctx, want, restart=restart)

    def _bring(self, ctx: sdk.Context, want: sdk.Properties, *, restart: bool) -> dict[str, sdk.Value]:
        """Define over the same UUID, start or stop as wanted, and pin what the host chose."""
        uuid = str(ctx.identity["uuid"])
        image = ctx.referred(want["image"])
        if image is None:
            raise sdk.FailedError(f"the image {want['image']} is not part of this stack")
        disk = self._root_disk(ctx, want, image)
        seed = self._seed(ctx, want)
        before = ctx.host.domain_info(uuid)
        xml = definition(ctx, want, image.attributes, disk, seed, before.xml if before else "")
        found = ctx.host.domain_define(xml)
        pinned = ctx.attributes.get("pinned") or pins(found.xml)
        running = found.state in ("running", "paused")
        if want["power"] == "stopped":
            ctx.host.domain_shutdown(uuid, want["shutdown_timeout"], ctx.check)
        elif running and restart:
            ctx.progress("restarting")
            ctx.host.domain_reboot(uuid, want["shutdown_timeout"], ctx.check)
        elif running and before is not None and before.memory_kib != memory_of(want) << 10:
            ctx.host.domain_set_memory(uuid, memory_of(want) << 10)
        else:
            ctx.host.domain_start(uuid)
        return {"pinned": pinned, "machine": pinned.get("machine", ""), "console_log": f"{ctx.identity['name']}-console.log"}

    def _root_disk(self, ctx: sdk.Context, want: sdk.Properties, image: sdk.Referred) -> str:
        if not image.attributes.get("path"):
            return ""
        capacity = max((want.get("disk") or 0) * GIB, int(image.attributes["capacity"]))
        backing = {"backing": image.attributes["path"], "backing_format": image.attributes["format"]}
        return sdk.ensure_volume(ctx, want["pool"], self._disk_name(ctx), capacity, "qcow2", **backing).path

    def _seed(self, ctx: sdk.Context, want: sdk.Properties) -> str:
        keys = list(want.get("ssh_keys") or ())
        pair = ctx.referred(want["key_name"]) if want.get("key_name") else None
        if pair is not None:
            keys.append(str(pair.attributes["public_key"]))
        data = seed_iso(ctx.identity, want.get("user_data") or "", keys)
        name = self._seed_name(ctx)
        return sdk.ensure_content(ctx, want["pool"], name, data, data.getbuffer().nbytes, ctx.owner()).path

    @staticmethod
    def _disk_name(ctx: sdk.Context) -> str:
        return f"{ctx.identity['name']}-root.qcow2"

    @staticmethod
    def _seed_name(ctx: sdk.Context) -> str:
        return f"{ctx.identity['name']}-seed.iso"

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.domain_info(str(ctx.identity["uuid"]))
        return {"power": "running" if found.state in ("running", "paused") else "stopped"} if found else None

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.domain_shutdown(str(ctx.identity["uuid"]), last["shutdown_timeout"], ctx.check)

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        uuid = str(ctx.identity["uuid"])
        if ctx.host.domain_info(uuid) is not None:
            ctx.host.domain_shutdown(uuid, last["shutdown_timeout"], ctx.check)
            ctx.host.domain_undefine(uuid)
        sdk.remove_volume(ctx, last["pool"], self._disk_name(ctx))
        sdk.remove_volume(ctx, last["pool"], self._seed_name(ctx))


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Nova's and EC2's ways to say on which networks a server is."""
    networks = properties.pop("$networks", None)
    if isinstance(networks, list):
        renamed = {"uuid": "network", "fixed_ip": "address", "network": "network", "port": "port", "subnet": "subnet", "address": "address"}
        properties["networks"] = [{renamed.get(k, k): v for k, v in n.items()} if isinstance(n, dict) else n for n in networks]
    interfaces = properties.pop("$interfaces", None)
    if isinstance(interfaces, list):
        by_index = sorted((i for i in interfaces if isinstance(i, dict)), key=lambda i: int(i.get("DeviceIndex", 0)))
        names = {"NetworkInterfaceId": "port", "SubnetId": "subnet", "PrivateIpAddress": "address"}
        properties["networks"] = [{names[k]: v for k, v in i.items() if k in names} for i in by_index]
    subnet, address = properties.pop("$subnet", None), properties.pop("$address", None)
    if subnet is not None:
        properties["networks"] = [{"subnet": subnet, **({"address": address} if address is not None else {})}]
    tags = properties.pop("$tags", None)
    if isinstance(tags, list):
        found = {t["Key"]: t.get("Value", "") for t in tags if isinstance(t, dict) and "Key" in t}
        properties["metadata"] = found
    return properties
