"""Networks on what the host has already: a bridge, a switch with VLAN tags, or a device. libvirt gives no addresses on them and adds no rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

FLAT, VLAN, DIRECT = "flat", "vlan", "direct"
BRIDGED = (FLAT, VLAN, DIRECT)
SWITCH = "se-switch"
"""The bridge of a private host's own switch."""
_ONLY = {"vlan": VLAN, "port_groups": VLAN, "device": DIRECT, "macvtap": DIRECT}
"""Properties of one mode only."""


def broken(want: sdk.Properties) -> list[sdk.Refusal]:
    """What is wrong whatever the host is."""
    mode = want.get("mode")
    found = [sdk.Refusal(k, f"belongs to a network of mode {of}", f"mode: {of}") for k, of in _ONLY.items() if want.get(k) and mode != of]
    if mode not in BRIDGED:
        return found
    if mode == FLAT and not want.get("bridge"):
        found.append(sdk.Refusal("mode", "a flat network is on a bridge of the host", "bridge: its name there"))
    if mode == VLAN and not want.get("vlan") and not want.get("port_groups"):
        found.append(sdk.Refusal("mode", "a VLAN has a tag", "vlan: 1 to 4094, or port_groups"))
    if mode == DIRECT and not want.get("device"):
        found.append(sdk.Refusal("mode", "a direct network is on a device of the host", "device: its name there"))
    if mode == DIRECT and want.get("bridge"):
        found.append(sdk.Refusal("bridge", "a direct network is on a device, not on a bridge", "leave bridge out, or mode: flat"))
    groups = want.get("port_groups")
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if isinstance(group, dict) and bool(group.get("vlan")) == bool(group.get("trunk")):
            found.append(sdk.Refusal("port_groups", f"the port group {name} has either a vlan or a trunk", "trunk: a list of tags"))
        elif isinstance(group, dict) and group.get("native") and group["native"] not in (group.get("trunk") or ()):
            found.append(sdk.Refusal("port_groups", f"the native VLAN of the port group {name} is one of its trunk"))
    strange = [k for k in ("cidr", "domain", "mtu") if want.get(k)]
    return found + [sdk.Refusal(k, f"whoever runs that decides it, as the network is {mode}", f"leave {k} out") for k in strange]


def refused(want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
    """What this host would refuse or silently ignore."""
    found = []
    if want["mode"] == VLAN and "switch" not in profile.features:
        hint = "of a private host: stack-run hosts start NAME --switch"
        found.append(sdk.Refusal("mode", "this host has no virtual switch (Open vSwitch) for VLAN tags", hint))
    if any(s["dhcp"] for s in want.get("subnets", ())):
        hint = "dhcp: false at its subnets, so that the seed tells them"
        found.append(sdk.Refusal("mode", f"a {want['mode']} network gives no addresses", hint))
    return found


def bridge_of(want: sdk.Properties) -> str:
    """The bridge on the host."""
    return "" if want["mode"] == DIRECT else str(want.get("bridge") or (SWITCH if want["mode"] == VLAN else ""))


def xml_of(ctx: sdk.Context, want: sdk.Properties) -> str:
    """The ``<network>``."""
    groups = {name: group_xml(ctx, name, group) for name, group in sorted((want.get("port_groups") or {}).items())}
    return ctx.render(
        "bridged.xml.j2", ownership=ctx.ownership(), identity=ctx.identity, mode=want["mode"], vlan=want.get("vlan"), groups=list(groups.values()),
        device=want.get("device"), sharing=want.get("macvtap") or "bridge",
    )  # fmt: skip


def group_xml(ctx: sdk.Context, name: str, group: Mapping[str, Any]) -> str:
    """One ``<portgroup>``."""
    return ctx.render("group.xml.j2", name=name, tags=group.get("trunk") or [group["vlan"]], trunk=bool(group.get("trunk")), native=group.get("native"))


def bring_groups(ctx: sdk.Context, xml: str, want: sdk.Properties) -> None:
    """Bring the port groups of an active network to what they should be; guests that run keep theirs until they are started anew."""
    uuid, there = str(ctx.identity["uuid"]), {g.get("name", ""): g for g in ET.fromstring(xml).findall("portgroup")}
    wanted = want.get("port_groups") or {}
    for name in there.keys() - wanted.keys():
        ctx.host.network_update(uuid, "delete", "portgroup", ctx.render("group.xml.j2", name=name, tags=[], trunk=False, native=None))
    for name, group in wanted.items():
        if name not in there:
            ctx.host.network_update(uuid, "add", "portgroup", group_xml(ctx, name, group))
        elif tags_of(there[name]) != _said(group):
            ctx.host.network_update(uuid, "modify", "portgroup", group_xml(ctx, name, group))


def tags_of(element: ET.Element) -> dict[str, Any]:
    """The tags of a ``<network>`` or ``<portgroup>``, in our words; nothing where it has none."""
    vlan = element.find("vlan")
    if vlan is None:
        return {}
    tags = [int(t.get("id", "0")) for t in vlan.findall("tag")]
    native = [int(t.get("id", "0")) for t in vlan.findall("tag") if t.get("nativeMode")]
    if vlan.get("trunk") != "yes" and len(tags) == 1 and not native:
        return {"vlan": tags[0]}
    return {"trunk": tags, **({"native": native[0]} if native else {})}


def _said(group: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in group.items() if v}


def translated(kind: Any, tag: Any) -> dict[str, Any]:
    """The mode of a foreign network with this type and segmentation id; ValueError for one that there is not."""
    ours = ("nat", "isolated", "routed", "open", FLAT, VLAN)
    if kind is not None and kind not in ours:
        raise ValueError(f"there is no network of type {kind}; {', '.join(ours[:-1])} and {VLAN} are there")
    if tag is None:
        return {"mode": kind} if kind is not None else {}
    if kind not in (None, VLAN):
        raise ValueError(f"a network of type {kind} has no segmentation id: that belongs to {VLAN}")
    return {"mode": VLAN, "vlan": int(tag) if isinstance(tag, str) and tag.isdigit() else tag}
