"""SE::Server: a virtual machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

from . import adopted, bandwidth, drift, hardware, moving, rescue, running, seeds
from . import definition as xml_of
from . import draft as drafts
from .disks import FIRMWARE, GIB, Disk, behind_network, disc, disk_name, own_volumes, restarts, root_disk
from .filters import drop_filters, groups_by_interface, groups_of, make_filters
from .identity import addresses_by_network, addresses_of, nic_identities, places, signalling, with_interfaces
from .rules import broken_rules, refusals
from .seed import leased
from .sizes import max_vcpus_of, maximum_of, memory_of, vcpus_of, with_flavor
from .translation import translate
from .wished import implied_volumes

__all__ = ["Server", "translate"]


class Server(sdk.ResourceType):
    """A domain with its seed and, for disk images, a root disk over the image's base."""

    name: ClassVar[str] = "SE::Server"
    movable: ClassVar[bool] = True
    carries: ClassVar[bool] = True

    # pure

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        networks = want.get("networks") or []
        if sdk.has_unknown(networks):
            raise sdk.RefusedError("its networks are known only after apply", hint="name networks, subnets or ports of this stack").about("networks")
        uuid, name, nics = ids.uuid(), ids.claim("name", [ids.name(50)]), nic_identities(ids, networks)
        grouped = [n for n, groups in zip(nics, groups_by_interface(want), strict=True) if groups and not n["port"]]
        bare = next((n["unfiltered"] for n in grouped if n.get("unfiltered")), "")
        if bare:
            raise sdk.RefusedError(bare, hint="leave the server's security groups out, and give its other interfaces ports with groups")
        hostname = want.get("name")
        first = nics[0] if nics else {}
        plain, records = addresses_by_network(ids, nics)
        return {
            "physical_id": uuid, "uuid": uuid, "id": uuid, "name": name, "hostname": _hostname(hostname if isinstance(hostname, str) else ids.path),
            "nics": nics, "address": first.get("address", ""), "mac": first.get("mac", ""), "networks": plain, "addresses": records,
            "availability_zone": "local", **signalling(ids, uuid, want),
        }  # fmt: skip

    def revised(
        self, ids: sdk.Identities, identity: Mapping[str, Any], attributes: Mapping[str, sdk.Value], last: sdk.Properties, want: sdk.Properties
    ) -> Mapping[str, Any]:
        before, after = places(last), places(want)
        if before == after or sdk.has_unknown(after):
            return identity
        if attributes.get("adopted"):
            raise sdk.RefusedError("the interfaces of an imported server are not changed", hint="replace it: --replace")
        return with_interfaces(ids, identity, before, after)

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        found, source = [], want.get("image")
        if isinstance(source, str):
            found.append(sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image"))
        others = [prop for prop in ("cdrom", "rescue") if isinstance(want.get(prop), str)]
        found += [sdk.Implied(f"image:{want[prop]}", "SE::Image", {"source": want[prop]}, prop) for prop in others]
        if "networks" not in want:
            network: dict[str, sdk.Value] = {"mode": "nat", "cidr": "auto"}
            found.append(sdk.Implied("network:default", "SE::Network", network, "networks", lambda reference: [{"network": reference}]))
        return [*found, *implied_volumes(want)]

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        """The host name on every network, and reservations of interfaces that have no port of their own."""
        found = []
        for nic, groups in zip(identity["nics"], groups_by_interface(want, len(identity["nics"])), strict=False):
            names = [{"address": a, "name": identity["hostname"]} for a in addresses_of(nic)]
            found += [sdk.Contribution(nic["network"], "names", name, nic["mac"]) for name in names]
            found += _in_groups(identity, nic, groups)
            found += bandwidth.contributed(identity, nic)
            if nic["address"] and not nic["port"] and leased(nic):
                value = {"mac": nic["mac"], "address": nic["address"], "name": identity["hostname"]}
                found.append(sdk.Contribution(nic["network"], "reservations", value, nic["mac"]))
        return found

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        devices = [f"pci:{a.lower()}" for a in sdk.known_list(want.get("pci")) if isinstance(a, str)]
        volumes = [v["volume"] for v in _volumes(want) if not v.get("read_only") and isinstance(v.get("volume"), str)]
        nics = identity["nics"]
        found = frozenset({*(f"mac:{n['mac']}" for n in nics), *(f"volume:{v}" for v in volumes), *devices})
        return found.union(
            *(sdk.addresses_had(n["network"], addresses_of(n), "answers") for n in nics),
            *(sdk.addresses_had(n["network"], addresses_of(n)) for n in nics if not n["port"]),
        )  # fmt: skip

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        disk = with_flavor(want).get("disk")
        return sdk.Demand(vcpus_of(want), maximum_of(want), disk * GIB if isinstance(disk, int) else 0)

    def effects(self, last: sdk.Properties, want: sdk.Properties, profile: sdk.Profile) -> Mapping[str, sdk.Effect]:
        """Memory changes live up to what the guest was started with; another disk to boot from needs a start."""
        last, want = with_flavor(last), with_flavor(want)
        live = "set-memory-live" in profile.features and memory_of(want) <= maximum_of(last)
        found: dict[str, sdk.Effect] = {} if live else {"memory": "reboot"}
        if last.get("networks") != want.get("networks"):
            found["networks"] = _how_interfaces_change(places(last), places(want), profile)
        if not ("set-vcpus-live" in profile.features and vcpus_of(last) <= vcpus_of(want) <= max_vcpus_of(last)):
            found["vcpus"] = "reboot"
        if hardware.started_with(last) != hardware.started_with(want):
            found["root_disk"] = found["vnc"] = "reboot"
        if _boot_volumes(last) != _boot_volumes(want) or "hotplug-disk" not in profile.features or restarts(last.get("volumes"), want.get("volumes")):
            found["volumes"] = "reboot"
        if "resize-live" not in profile.features:
            found["disk"] = "reboot"
        return found

    def lasting(self, last: sdk.Properties, want: sdk.Properties) -> list[sdk.Refusal]:
        old, new = with_flavor(last).get("disk"), with_flavor(want).get("disk")
        if isinstance(old, int) and isinstance(new, int) and new < old:
            return [sdk.Refusal("disk", f"a disk does not shrink from {old} to {new} GiB", f"say {old}, or replace the server: --replace")]
        return []

    def rewrites(self, identity: Mapping[str, Any], last: sdk.Properties, want: sdk.Properties) -> list[tuple[str, str]]:
        """Its own disk, when it grows, and when new user data is run over what the old one did."""
        old, new = last.get("disk") or 0, want.get("disk") or 0
        grows = new > old if isinstance(old, int) and isinstance(new, int) else old != new
        again = want.get("user_data_update") == "reboot" and last.get("user_data") != want.get("user_data")
        return [(last["pool"], disk_name(identity))] if grows or again else []

    def unrestored(self, last: sdk.Properties, want: sdk.Properties) -> list[str]:
        if want.get("user_data_update") != "reboot" or last.get("user_data") == want.get("user_data"):
            return []
        return ["a rollback runs the old user_data again, and leaves what the new one did to its disk"]

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        return broken_rules(want)

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        return refusals(with_flavor(want), profile)

    def gate(self, identity: Mapping[str, Any], want: sdk.Properties) -> sdk.Gate | None:
        ready = sdk.known(want.get("ready"), {})
        kind, timeout = sdk.known(ready.get("gate"), "running"), float(sdk.known(ready.get("timeout"), 600))
        if kind == "running" or want.get("power") in ("stopped", "suspended") or want.get("rescue"):
            return None
        if kind == "signal":
            handle = sdk.handle_id(ready["handle"]) if ready.get("handle") else identity["physical_id"]
            if not ready.get("handle") and "token" not in identity:
                return None  # it was made when nobody waited for it, and has no way to say anything
            return sdk.Gate("signal", timeout, identity["uuid"], handle=handle, count=int(sdk.known(ready.get("count"), 1)))
        macs = tuple(n["mac"] for n in identity["nics"])
        if kind == "lease" and not any(leased(n) for n in identity["nics"]):
            kind = "agent"  # its addresses are in the seed: no lease will ever be seen
        return sdk.Gate(kind, timeout, identity["uuid"], macs, identity["address"], int(sdk.known(ready.get("port"), 22)))

    def holds_data(self, want: sdk.Properties) -> bool:
        return True

    def copies(self, identity: Mapping[str, Any], last: sdk.Properties) -> list[str]:
        return [f"{last['pool']}/{sdk.copy_name(disk_name(identity))} (where it has a root disk of its own)"]

    def adopt(
        self, host: sdk.Host, physical_id: str, identity: Mapping[str, Any], want: sdk.Properties
    ) -> tuple[dict[str, Any], dict[str, sdk.Value]]:
        return adopted.found(host, physical_id, identity)

    def describe(self, host: sdk.Host, physical_id: str, want: sdk.Properties) -> sdk.Described:
        return adopted.described(host, physical_id)

    def unowned(self, host: sdk.Host) -> list[str]:
        return sorted(d.name for d in host.domain_list() if "urn:stackengine:1" not in d.xml)

    def draft(self, host: sdk.Host, physical_id: str, where: sdk.Properties) -> sdk.Draft:
        return drafts.draft(host, adopted.domain(host, physical_id))

    # on the host

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """Define over the same UUID, start or stop as wanted, and pin what the host chose. The same for every update."""
        if ctx.attributes.get("adopted"):
            return adopted.bring(ctx, want)
        uuid, want = str(ctx.identity["uuid"]), with_flavor(want)
        _check_devices(ctx, want)
        want, image, bootable = self._system(ctx, want)
        seed = seeds.made(ctx, want, image)
        disks = [*behind_network(want, [*bootable, *disc(ctx, want, any(d.boot for d in bootable))], image), *([] if seed.device == FIRMWARE else [seed])]
        before = ctx.host.domain_info(uuid)
        known = ctx.attributes.get("pinned") or (xml_of.pins(before.xml, {}) if before else {})
        ignition = seed.path if seed.device == FIRMWARE else ""
        xml = xml_of.definition(ctx, want, image, disks, before.xml if before else "", known, ignition)
        groups = groups_of(ctx, want)
        drop_filters(ctx, before.xml if before else "", groups, running=bool(before and before.live_xml))
        found = ctx.host.domain_define(xml)
        make_filters(ctx, groups, fresh=before is None)
        pinned = xml_of.pins(found.xml, known)
        seeds.serve(ctx, want)
        if want["power"] == "stopped":
            ctx.host.domain_shutdown(uuid, want["shutdown_timeout"], ctx.check)
        elif want["power"] == "suspended":
            ctx.host.domain_save(uuid)
        elif before is None or before.state not in ("running", "paused"):
            ctx.host.domain_start(uuid)
            woken = ctx.host.domain_info(uuid) if before is not None and before.state == "saved" else None
            if woken is not None and woken.live_xml:  # it goes on as it was saved, which may be with less than it should have
                running.adapt(ctx, want, woken, xml, disks)
        else:
            running.adapt(ctx, want, before, xml, disks)
        used = seeds.in_use(ctx) if before and before.live_xml else ()
        over = () if want.get("rescue") else (rescue.disk_name(ctx.identity),)
        seeds.drop(ctx, want["pool"], keep={seed.path.rpartition("/")[2], *used}, also=over)
        return {
            "pinned": pinned, "machine": pinned["machine"], "console_log": f"{ctx.identity['name']}-console.log",
            "definition": drift.remembered(xml, found.xml),
        }  # fmt: skip

    def _system(self, ctx: sdk.Context, want: sdk.Properties) -> tuple[sdk.Properties, Mapping[str, Any], list[Disk]]:
        """What the system that it runs from is told, its image, and the disks, made where they are not there: its own, or those of its rescue."""
        image = self._image(ctx, want)
        own = [*root_disk(ctx, want, image), *own_volumes(ctx, want)]
        if not want.get("rescue"):
            return want, image, own
        image = self._image(ctx, want, "rescue")
        return rescue.system(want), image, rescue.disks(ctx, want, image, own)

    @staticmethod
    def _image(ctx: sdk.Context, want: sdk.Properties, prop: str = "image") -> Mapping[str, Any]:
        if not want.get(prop):
            return {}
        image = ctx.referred(want[prop])
        if image is None:
            raise sdk.FailedError(f"the image {want[prop]} is not part of this stack", hint=sdk.NAME_IT)
        return image.attributes

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.domain_info(str(ctx.identity["uuid"]))
        if found is None:
            return None
        power = "running" if found.state in ("running", "paused", "saved") else "stopped"  # one that is parked is to run
        if last["power"] == "suspended" and found.state in ("saved", "shutoff"):  # one that never ran has no memory to keep
            power = "suspended"
        return {"power": power, **xml_of.defined_sizes(found.xml), sdk.DRIFT: drift.found_in(ctx, last, found)}

    def staying(self, want: sdk.Properties) -> str:
        return moving.staying(want)

    def move(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """As it runs, with what its own disks hold; then it is brought to what is wanted, and what it had at the other end goes."""
        moving.arrives(ctx, want["pool"], lambda: self._system(ctx, with_flavor(want)))
        attributes = self.create(ctx, want)
        for end in ctx.ends()[1:]:
            self.delete(end, want)
        return attributes

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        found = ctx.host.domain_info(str(ctx.identity["uuid"]))
        if found is not None and found.state == "saved":
            return  # it has given up everything but its memory
        ctx.host.unserve_metadata(str(ctx.identity["uuid"]))  # its successor may have its MAC
        ctx.host.domain_shutdown(str(ctx.identity["uuid"]), last["shutdown_timeout"], ctx.check)

    def release(self, ctx: sdk.Context, last: sdk.Properties, of: str) -> None:
        """Stop; one that is saved forgets its memory where that knows a disk which is to be another."""
        held = ctx.referred(of)
        if held is not None and held.type == "SE::Volume":
            ctx.host.domain_shutdown(str(ctx.identity["uuid"]), last["shutdown_timeout"], ctx.check)
        else:
            self.stop(ctx, last)

    def bring_back(self, ctx: sdk.Context, last: sdk.Properties, disks: sdk.Disks) -> None:
        ctx.host.domain_shutdown(str(ctx.identity["uuid"]), last["shutdown_timeout"], ctx.check)
        super().bring_back(ctx, last, disks)

    def snapshot(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        """The root disk, once the guest is off."""
        self.stop(ctx, last)
        sdk.keep_copy(ctx, last["pool"], disk_name(ctx.identity))

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        uuid, pool = str(ctx.identity["uuid"]), last["pool"]
        found = ctx.host.domain_info(uuid)
        if found is not None:
            ctx.host.domain_shutdown(uuid, last["shutdown_timeout"], ctx.check)
            drop_filters(ctx, found.xml, {}, running=False)
            ctx.host.domain_undefine(uuid)
        ctx.host.unserve_metadata(uuid)
        seeds.drop(ctx, pool, also=(disk_name(ctx.identity), rescue.disk_name(ctx.identity)))


def _how_interfaces_change(last: Any, want: Any, profile: sdk.Profile) -> sdk.Effect:
    """They come and go while the guest runs, where the host can; the first stays, as its address is the one by which the server is known."""
    if sdk.has_unknown(want) or (last != want and (not last or not want or last[0] != want[0])):
        return "replace"
    return "live" if "hotplug-nic" in profile.features else "reboot"


def _in_groups(identity: Mapping[str, Any], nic: Mapping[str, Any], groups: list[Any]) -> list[sdk.Contribution]:
    """The groups of one interface, for itself; of one without a port also its address, for the groups."""
    itself, mac = identity["physical_id"], nic["mac"]
    if nic["port"]:
        return [sdk.Contribution(itself, "groups", {"mac": mac, "groups": sdk.Contributed(nic["port"], "groups")}, mac)]
    if not groups:
        return []
    found = [sdk.Contribution(g, "members", {"address": a}, mac) for g in groups for a in addresses_of(nic)]
    return [*found, sdk.Contribution(itself, "groups", {"mac": mac, "groups": [{"group": g} for g in groups]}, mac)]


def _hostname(text: str) -> str:
    """A host name of a template's text (RFC 1123: letters, digits and dashes, 63 at most)."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")[:63].rstrip("-") or "guest"


def _check_devices(ctx: sdk.Context, want: sdk.Properties) -> None:
    """What the machine's owner does not let guests have is not given, whatever was planned once."""
    for what in (*(s["path"] for s in want.get("shares") or ()), *(want.get("pci") or ())):
        if not ctx.allowed.may_give(what):
            raise sdk.FailedError(f"no guest may get {what}", hint="who owns this machine can allow it: allow.devices in owner.yaml")


def _boot_volumes(want: sdk.Properties) -> list[Any]:
    return [v.get("volume") for v in _volumes(want) if v.get("boot")]


def _volumes(want: sdk.Properties) -> list[dict[str, Any]]:
    return [v for v in sdk.known_list(want.get("volumes")) if isinstance(v, dict)]
