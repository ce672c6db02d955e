"""SE::Server: a virtual machine."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from stackengine import sdk

from . import adopted, bandwidth, cfn_init, drift, ec2, hardware, moving
from . import definition as xml_of
from . import draft as drafts
from .disks import FIRMWARE, GIB, OWN, WORDS, Disk, disc, disk_name, own_volumes, provisioned, restarts, root_disk, seed_prefix
from .filters import drop_filters, filter_name, groups_of, make_filters, named_in, own_groups
from .identity import ALIAS, addresses_by_network, addresses_of, alias_of, nic_identities, with_interfaces
from .openstack import LABEL as CONFIG_DRIVE
from .openstack import Guest
from .openstack import documents as openstack_documents
from .rules import broken_rules, refusals
from .seed import digest_of, documents, going_on, iso_of, kind_of, leased
from .shapes import shape_of
from .sizes import max_vcpus_of, maximum_of, memory_of, vcpus_of, with_flavor
from .translation import translate

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
            raise sdk.RefusedError("its networks are known only after apply", hint="name networks, subnets or ports of this stack")
        uuid, name, nics = ids.uuid(), ids.claim("name", [ids.name(50)]), nic_identities(ids, networks)
        bare = next((n["unfiltered"] for n in nics if n.get("unfiltered") and not n["port"]), "")
        if bare and own_groups(want.get("security_groups")):
            raise sdk.RefusedError(bare, hint="leave the server's security groups out, and give its other interfaces ports with groups")
        hostname = want.get("name")
        first = nics[0] if nics else {}
        plain, records = addresses_by_network(ids, nics)
        return {
            "physical_id": uuid, "uuid": uuid, "id": uuid, "name": name, "hostname": _hostname(hostname if isinstance(hostname, str) else ids.path),
            "nics": nics, "address": first.get("address", ""), "mac": first.get("mac", ""), "networks": plain, "addresses": records,
            "availability_zone": "local",
        }  # fmt: skip

    def revised(
        self, ids: sdk.Identities, identity: Mapping[str, Any], attributes: Mapping[str, sdk.Value], last: sdk.Properties, want: sdk.Properties
    ) -> Mapping[str, Any]:
        before, after = last.get("networks") or [], want.get("networks") or []
        if before == after or sdk.has_unknown(after):
            return identity
        if attributes.get("adopted"):
            raise sdk.RefusedError("the interfaces of an imported server are not changed", hint="replace it: --replace")
        return with_interfaces(ids, identity, before, after)

    def implies(self, want: sdk.Properties) -> list[sdk.Implied]:
        found, source = [], want.get("image")
        if isinstance(source, str):
            found.append(sdk.Implied(f"image:{source}", "SE::Image", {"source": source}, "image"))
        if isinstance(want.get("cdrom"), str):
            found.append(sdk.Implied(f"image:{want['cdrom']}", "SE::Image", {"source": want["cdrom"]}, "cdrom"))
        if "networks" not in want:
            network: dict[str, sdk.Value] = {"mode": "nat", "cidr": "auto"}
            found.append(sdk.Implied("network:default", "SE::Network", network, "networks", lambda reference: [{"network": reference}]))
        return found

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        """The host name on every network, and reservations of interfaces that have no port of their own."""
        found = []
        for nic in identity["nics"]:
            names = [{"address": a, "name": identity["hostname"]} for a in addresses_of(nic)]
            found += [sdk.Contribution(nic["network"], "names", name, nic["mac"]) for name in names]
            found += _in_groups(identity, nic, own_groups(want.get("security_groups")))
            found += bandwidth.contributed(identity, nic)
            if nic["address"] and not nic["port"] and leased(nic):
                value = {"mac": nic["mac"], "address": nic["address"], "name": identity["hostname"]}
                found.append(sdk.Contribution(nic["network"], "reservations", value, nic["mac"]))
        return found

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        devices = [f"pci:{a.lower()}" for a in sdk.known_list(want.get("pci")) if isinstance(a, str)]
        volumes = [v["volume"] for v in _volumes(want) if not v.get("read_only") and isinstance(v.get("volume"), str)]
        return frozenset({*(f"mac:{n['mac']}" for n in identity["nics"]), *(f"volume:{v}" for v in volumes), *devices})

    def demand(self, want: sdk.Properties) -> sdk.Demand:
        disk = with_flavor(want).get("disk")
        return sdk.Demand(vcpus_of(want), maximum_of(want), disk * GIB if isinstance(disk, int) else 0)

    def effects(self, last: sdk.Properties, want: sdk.Properties, profile: sdk.Profile) -> Mapping[str, sdk.Effect]:
        """Memory changes live up to what the guest was started with; another disk to boot from needs a start."""
        last, want = with_flavor(last), with_flavor(want)
        live = "set-memory-live" in profile.features and memory_of(want) <= maximum_of(last)
        found: dict[str, sdk.Effect] = {} if live else {"memory": "reboot"}
        if last.get("networks") != want.get("networks"):
            found["networks"] = _how_interfaces_change(last.get("networks"), want.get("networks"), profile)
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
        if kind == "running" or want.get("power") in ("stopped", "suspended"):
            return None
        if kind == "signal":
            return sdk.Gate("signal", timeout, identity["uuid"], handle=sdk.handle_id(ready.get("handle")), count=int(sdk.known(ready.get("count"), 1)))
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
        image = self._image(ctx, want)
        seed = self._seed(ctx, want, image)
        bootable = [*root_disk(ctx, want, image), *own_volumes(ctx, want)]
        disks = [*bootable, *disc(ctx, want, any(d.boot for d in bootable)), *([] if seed.device == FIRMWARE else [seed])]
        before = ctx.host.domain_info(uuid)
        known = ctx.attributes.get("pinned") or (xml_of.pins(before.xml, {}) if before else {})
        ignition = seed.path if seed.device == FIRMWARE else ""
        xml = xml_of.definition(ctx, want, image, disks, before.xml if before else "", known, ignition)
        groups = groups_of(ctx, want)
        drop_filters(ctx, before.xml if before else "", groups, running=bool(before and before.live_xml))
        found = ctx.host.domain_define(xml)
        make_filters(ctx, groups, fresh=before is None)
        pinned = xml_of.pins(found.xml, known)
        self._serve(ctx, want)
        if want["power"] == "stopped":
            ctx.host.domain_shutdown(uuid, want["shutdown_timeout"], ctx.check)
        elif want["power"] == "suspended":
            ctx.host.domain_save(uuid)
        elif before is None or before.state not in ("running", "paused"):
            ctx.host.domain_start(uuid)
            if before is not None and before.state == "saved":  # it goes on as it was saved, which may be with less than it should have
                self._as_wanted(ctx, want, xml, disks)
        elif before.vcpus > vcpus_of(want) or self._needs_restart(ctx, before.live_xml, xml):  # guests do not let go of vCPUs
            ctx.progress("restarting")
            ctx.host.domain_reboot(uuid, want["shutdown_timeout"], ctx.check)
        else:
            self._live(ctx, want, before, disks)
        used = self._seeds_in_use(ctx) if before and before.live_xml else ()
        self._drop_seeds(ctx, want["pool"], keep={seed.path.rpartition("/")[2], *used})
        return {
            "pinned": pinned, "machine": pinned["machine"], "console_log": f"{ctx.identity['name']}-console.log",
            "definition": drift.remembered(xml, found.xml),
        }  # fmt: skip

    @staticmethod
    def _needs_restart(ctx: sdk.Context, live: str, xml: str) -> bool:
        """Whether what runs cannot become what is defined."""
        if "hotplug-nic" not in ctx.host.profile.features and live and xml_of.macs(live) != xml_of.macs(xml):
            return True
        return xml_of.needs_restart(live, xml)

    @staticmethod
    def _seeds_in_use(ctx: sdk.Context) -> set[str]:
        """The seed that a running guest was started with, which may not be the one that it is started with next."""
        runs = ctx.host.domain_info(str(ctx.identity["uuid"]))
        found = xml_of.disks_of(runs.live_xml, "ua-seed").values() if runs is not None and runs.live_xml else ()
        return {source.get("file", "").rpartition("/")[2] for disk in found if (source := disk.find("source")) is not None}

    def _as_wanted(self, ctx: sdk.Context, want: sdk.Properties, xml: str, disks: list[Disk]) -> None:
        runs = ctx.host.domain_info(str(ctx.identity["uuid"]))
        if runs is None or not runs.live_xml:
            return
        if runs.vcpus > vcpus_of(want) or self._needs_restart(ctx, runs.live_xml, xml):
            ctx.host.domain_reboot(runs.uuid, want["shutdown_timeout"], ctx.check)
        else:
            self._live(ctx, want, runs, disks)

    def _live(self, ctx: sdk.Context, want: sdk.Properties, before: sdk.DomainInfo, disks: list[Disk]) -> None:
        """What a running guest takes as it runs: memory, volumes, metadata."""
        uuid = str(ctx.identity["uuid"])
        if before.memory_kib != memory_of(want) << 10:
            ctx.host.domain_set_memory(uuid, memory_of(want) << 10)
        if "hotplug-nic" in ctx.host.profile.features:
            self._interfaces(ctx, want, before.live_xml)
        wanted = {d.alias: d for d in disks if d.alias.startswith(OWN)}
        runs = xml_of.disks_of(before.live_xml, OWN)
        for alias in runs.keys() - wanted.keys():
            ctx.host.domain_detach(uuid, alias)
        for alias, disk in wanted.items():
            if alias not in runs:
                ctx.host.domain_attach(uuid, xml_of.disk_xml(ctx, disk))
        if before.vcpus < vcpus_of(want):
            ctx.host.domain_set_vcpus(uuid, vcpus_of(want))
        throttled = xml_of.limits_in(before.live_xml)
        for disk in disks:
            if not disk.read_only and throttled.get(disk.alias, {}) != disk.limits and disk.alias in throttled:
                ctx.host.domain_set_limits(uuid, disk.target, {w: disk.limits.get(w, 0) for w in WORDS.values()})
        if (want.get("vnc") or {}).get("password"):
            ctx.host.domain_update_device(uuid, xml_of.screen_xml(ctx, want))
        self._guard(ctx, want, before.live_xml)
        self._throttle(ctx, want, before.live_xml)
        metadata = xml_of.metadata(ctx, want)
        if not xml_of.same_metadata(before.live_xml, metadata):
            ctx.host.domain_set_metadata(uuid, metadata)

    @staticmethod
    def _interfaces(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
        """Take away the interfaces that the guest should not have, and give it those that it lacks."""
        uuid, runs, wanted = str(ctx.identity["uuid"]), xml_of.aliases(live_xml, ALIAS), xml_of.interfaces(ctx, want)
        for alias in sorted(runs - wanted.keys()):
            ctx.host.domain_detach(uuid, alias)
        for alias, xml in wanted.items():
            if alias not in runs:
                ctx.host.domain_attach(uuid, xml)

    @staticmethod
    def _throttle(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
        """Give running interfaces the bandwidth that they should have."""
        runs, wanted, there = bandwidth.limits_in(live_xml), bandwidth.limits_of(ctx), xml_of.aliases(live_xml, ALIAS)
        drawn = xml_of.interfaces(ctx, want)
        for index, nic in enumerate(ctx.identity["nics"]):
            alias = alias_of(nic, index)
            if alias in there and runs.get(nic["mac"], {}) != wanted.get(nic["mac"], {}):
                ctx.host.domain_update_device(str(ctx.identity["uuid"]), drawn[alias])

    @staticmethod
    def _guard(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
        """Give running interfaces the filters that they should have."""
        runs, wanted, there = named_in(live_xml), groups_of(ctx, want), xml_of.aliases(live_xml, ALIAS)
        for index, nic in enumerate(ctx.identity["nics"]):
            name, alias = filter_name(ctx.identity, nic["mac"]) if nic["mac"] in wanted else "", alias_of(nic, index)
            if name and runs.get(alias, "") != name and alias in there:
                ctx.host.domain_set_filter(str(ctx.identity["uuid"]), alias, name)

    @staticmethod
    def _image(ctx: sdk.Context, want: sdk.Properties) -> Mapping[str, Any]:
        if not want.get("image"):
            return {}
        image = ctx.referred(want["image"])
        if image is None:
            raise sdk.FailedError(f"the image {want['image']} is not part of this stack", hint=sdk.NAME_IT)
        return image.attributes

    def _seed(self, ctx: sdk.Context, want: sdk.Properties, image: Mapping[str, Any]) -> Disk:
        """The seed's disk, or the file of the firmware's entry; its volume is named by its documents, so another user-data is another volume."""
        kind, guest, name = kind_of(want), _guest(ctx, want), seed_prefix(ctx.identity)
        if kind == "ignition":
            text = guest.user_data.encode()
            data = io.BytesIO(text + b" " * (-len(text) % 512))  # volumes are whole sectors, and JSON may end in blanks
            found = sdk.ensure_content(ctx, want["pool"], f"{name}{digest_of({'': guest.user_data})}.ign", data, data.getbuffer().nbytes, ctx.owner())
            return Disk(found.path, "raw", "", "", device=FIRMWARE)
        keys = list(guest.keys.values())
        below = provisioned(want, image)
        if kind == "config-drive":
            files = openstack_documents(guest)
        elif below:
            files = going_on(ctx.identity, guest.user_data, keys, below, str(image.get("user") or "root"))
        else:
            files = documents(ctx.identity, guest.user_data, keys, again=guest.again, vendor_data=guest.vendor_data)
        shape = shape_of(ctx.host.profile)
        data = iso_of(files, CONFIG_DRIVE) if kind == "config-drive" else shape.seed(files)
        name += f"{digest_of(files)}.{shape.seed_suffix}"
        found = sdk.ensure_content(ctx, want["pool"], name, data, data.getbuffer().nbytes, ctx.owner())
        return Disk(found.path, "raw", "vdzz", "ua-seed", "se-seed", read_only=True)

    @staticmethod
    def _serve(ctx: sdk.Context, want: sdk.Properties) -> None:
        """Let the host's metadata service tell the guest what it is."""
        if ec2.wanted(want, ctx.host.profile):
            ctx.host.serve_metadata(str(ctx.identity["uuid"]), ec2.entry(_guest(ctx, want), want))
        elif ec2.FEATURE in ctx.host.profile.features:
            ctx.host.unserve_metadata(str(ctx.identity["uuid"]))

    @staticmethod
    def _drop_seeds(ctx: sdk.Context, pool: str, keep: Collection[str] = (), also: str = "") -> None:
        """Remove every seed but those of ``keep``, and the volume ``also``; also the record of one whose volume went before a crash."""
        prefix = seed_prefix(ctx.identity)
        found = {n.removesuffix(".json") for n in ctx.host.volume_names(pool)}
        for name in sorted(n for n in found if n == also or (n.startswith(prefix) and n not in keep)):
            (sdk.remove_volume if name == also else sdk.remove_named)(ctx, pool, name)

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
        image, sized = self._image(ctx, want), with_flavor(want)
        moving.arrives(ctx, sized, image, self._seed(ctx, sized, image))
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
        self._drop_seeds(ctx, pool, also=disk_name(ctx.identity))


def _how_interfaces_change(last: Any, want: Any, profile: sdk.Profile) -> sdk.Effect:
    """They come and go while the guest runs, where the host can; the first stays, as its address is the one by which the server is known."""
    if sdk.has_unknown(want) or not last or not want or last[0] != want[0]:
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


def _keys(ctx: sdk.Context, want: sdk.Properties) -> dict[str, str]:
    """Name -> public key."""
    keys = {f"key-{n}": str(key) for n, key in enumerate(want.get("ssh_keys") or ())}
    pair = ctx.referred(want["key_name"]) if want.get("key_name") else None
    return keys if pair is None else {**keys, pair.path: str(pair.attributes["public_key"])}


def _guest(ctx: sdk.Context, want: sdk.Properties) -> Guest:
    """What the guest is told of itself."""
    pairs = {str(k): str(v) for k, v in (want.get("metadata") or {}).items()}
    groups = tuple(sorted({g for guard in groups_of(ctx, want).values() for g in guard.groups}))
    return Guest(
        ctx.identity, ctx.stack, want.get("user_data") or "", _keys(ctx, want), pairs, want.get("flavor") or "", want.get("image") or "", groups,
        vendor_data=cfn_init.vendor_script(want["init"]) if want.get("init") else "", again=want["user_data_update"] == "reboot",
    )  # fmt: skip


def _check_devices(ctx: sdk.Context, want: sdk.Properties) -> None:
    """What the machine's owner does not let guests have is not given, whatever was planned once."""
    for what in (*(s["path"] for s in want.get("shares") or ()), *(want.get("pci") or ())):
        if not ctx.allowed.may_give(what):
            raise sdk.FailedError(f"no guest may get {what}", hint="who owns this machine can allow it: allow.devices in owner.yaml")


def _boot_volumes(want: sdk.Properties) -> list[Any]:
    return [v.get("volume") for v in _volumes(want) if v.get("boot")]


def _volumes(want: sdk.Properties) -> list[dict[str, Any]]:
    return [v for v in sdk.known_list(want.get("volumes")) if isinstance(v, dict)]
