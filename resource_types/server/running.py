"""What a running server takes as it runs: memory, vCPUs, volumes, interfaces with their filters and limits, metadata."""

from __future__ import annotations

from stackengine import sdk

from . import bandwidth
from . import definition as xml_of
from .disks import OWN, Disk
from .filters import filter_name, groups_of, named_in
from .identity import ALIAS, alias_of
from .sizes import memory_of, vcpus_of


def adapt(ctx: sdk.Context, want: sdk.Properties, runs: sdk.DomainInfo, xml: str, disks: list[Disk]) -> None:
    """Bring a running guest to what is wanted and defined (``xml``): as it runs, or by a restart."""
    if runs.vcpus > vcpus_of(want) or _needs_restart(ctx, runs.live_xml, xml):  # guests do not let go of vCPUs
        ctx.progress("restarting")
        ctx.host.domain_reboot(runs.uuid, want["shutdown_timeout"], ctx.check)
    else:
        _live(ctx, want, runs, disks)


def _needs_restart(ctx: sdk.Context, live: str, xml: str) -> bool:
    """Whether what runs cannot become what is defined."""
    if "hotplug-nic" not in ctx.host.profile.features and live and xml_of.macs(live) != xml_of.macs(xml):
        return True
    return xml_of.needs_restart(live, xml)


def _live(ctx: sdk.Context, want: sdk.Properties, runs: sdk.DomainInfo, disks: list[Disk]) -> None:
    """What a running guest takes as it runs: memory, volumes, vCPUs, limits, interfaces, metadata."""
    uuid = str(ctx.identity["uuid"])
    if runs.memory_kib != memory_of(want) << 10:
        ctx.host.domain_set_memory(uuid, memory_of(want) << 10)
    if "hotplug-nic" in ctx.host.profile.features:
        _interfaces(ctx, want, runs.live_xml)
    wanted = {d.alias: d for d in disks if d.alias.startswith(OWN)}
    attached = xml_of.disks_of(runs.live_xml, OWN)
    for alias in attached.keys() - wanted.keys():
        ctx.host.domain_detach(uuid, alias)
    for alias, disk in wanted.items():
        if alias not in attached:
            ctx.host.domain_attach(uuid, xml_of.disk_xml(ctx, disk))
    if runs.vcpus < vcpus_of(want):
        ctx.host.domain_set_vcpus(uuid, vcpus_of(want))
    throttled = xml_of.limits_in(runs.live_xml)
    for disk in disks:
        if not disk.read_only and throttled.get(disk.alias, {}) != disk.limits and disk.alias in throttled:
            ctx.host.domain_set_limits(uuid, disk.target, {w: disk.limits.get(w, 0) for w in sdk.LIMITS.values()})
    if (want.get("vnc") or {}).get("password"):
        ctx.host.domain_update_device(uuid, xml_of.screen_xml(ctx, want))
    _guard(ctx, want, runs.live_xml)
    _throttle(ctx, want, runs.live_xml)
    metadata = xml_of.metadata(ctx, want)
    if not xml_of.same_metadata(runs.live_xml, metadata):
        ctx.host.domain_set_metadata(uuid, metadata)


def _interfaces(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
    """Take away the interfaces that the guest should not have, and give it those that it lacks."""
    uuid, runs, wanted = str(ctx.identity["uuid"]), xml_of.aliases(live_xml, ALIAS), xml_of.interfaces(ctx, want)
    for alias in sorted(runs - wanted.keys()):
        ctx.host.domain_detach(uuid, alias)
    for alias, xml in wanted.items():
        if alias not in runs:
            ctx.host.domain_attach(uuid, xml)


def _throttle(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
    """Give running interfaces the bandwidth that they should have."""
    runs, wanted, there = bandwidth.limits_in(live_xml), bandwidth.limits_of(ctx), xml_of.aliases(live_xml, ALIAS)
    drawn = xml_of.interfaces(ctx, want)
    for index, nic in enumerate(ctx.identity["nics"]):
        alias = alias_of(nic, index)
        if alias in there and runs.get(nic["mac"], {}) != wanted.get(nic["mac"], {}):
            ctx.host.domain_update_device(str(ctx.identity["uuid"]), drawn[alias])


def _guard(ctx: sdk.Context, want: sdk.Properties, live_xml: str) -> None:
    """Give running interfaces the filters that they should have."""
    runs, wanted, there = named_in(live_xml), groups_of(ctx, want), xml_of.aliases(live_xml, ALIAS)
    for index, nic in enumerate(ctx.identity["nics"]):
        name, alias = filter_name(ctx.identity, nic["mac"]) if nic["mac"] in wanted else "", alias_of(nic, index)
        if name and runs.get(alias, "") != name and alias in there:
            ctx.host.domain_set_filter(str(ctx.identity["uuid"]), alias, name)
