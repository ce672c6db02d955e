"""SE::Network: a virtual network of a host."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk
from stackengine.sdk import overlay

from .bridged import BRIDGED, VLAN, bridge_of, bring_groups, broken, refused, tags_of, translated, xml_of
from .described import OURS, described, draft, mode_of, owned, theirs
from .drift import drift_of
from .live import bring_live, dns_names, reservations

SIGNAL_NAME = "signal.stackengine.internal"
"""The name under which guests of every network find the engine's signal listener: their own gateway."""
OVERLAY: overlay.Allowed = {
    "title": None, "description": None, "bandwidth": None, "vlan": None, "portgroup": None, "virtualport": None, "domain": None,
    "forward": {"nat": {"port": None}}, "dns": {"forwarder": None, "txt": None, "srv": None}, "port": None,
}  # fmt: skip
"""What may be merged into a network: never its name, bridge, addresses or reservations, nor options of dnsmasq, which name programs and files."""
BOOTS = ("tftp", "boot_server")
"""Where a network's file to boot comes from."""
AUTO, AUTO6 = "auto", "auto-ipv6"


class Network(sdk.ResourceType):
    """Defined with all its reservations at once; later ones are added live, as each costs the host about a second."""

    name: ClassVar[str] = "SE::Network"
    carries: ClassVar[bool] = True
    movable: ClassVar[bool] = True

    # pure

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        uuid, given, name = ids.uuid(), want.get("bridge"), ids.claim("name", [ids.name(50)])
        if want["mode"] in BRIDGED:
            return {"physical_id": uuid, "uuid": uuid, "name": name, "bridge": bridge_of(want)}
        bridge = ids.claim("bridge", [given] if given else (f"{ids.pools.bridges}{ids.token(10, f'bridge:{n}')}" for n in range(16)))
        identity = {"physical_id": uuid, "uuid": uuid, "name": name, "bridge": bridge}
        cidr = want.get("cidr")
        if not cidr:
            return identity
        free = {AUTO: "ipv4", AUTO6: "ipv6"}
        candidates = sdk.open_subnets(ids, free[cidr]) if cidr in free else [sdk.normal_subnet(cidr)]
        found = sdk.subnet_range(ids.claim("cidr", candidates), want.get("gateway") or "", want.get("pools") or ())
        return {**identity, "cidr": found.cidr, "gateway": found.gateway, "prefix": found.prefix}

    def fixed(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        if want["mode"] in BRIDGED:
            return frozenset()
        own = {f"cidr:{identity['cidr']}"} if "cidr" in identity else set()
        return frozenset({f"bridge:{identity['bridge']}", *own, *(f"cidr:{s['cidr']}" for s in want.get("subnets", ()))})

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if want.get("mode") in BRIDGED:
            strange = [k for k in ("libvirt_overlay", "boot_file", *BOOTS) if want.get(k)]
            if strange:
                return [sdk.Refusal(k, f"a {want['mode']} network is not ours to define", "leave it out") for k in strange]
        alone = [k for k in ("gateway", "pools", "routes") if want.get(k) and not want.get("cidr")]
        found = [sdk.Refusal(k, "belongs to an address range", f"add cidr: a range such as 10.20.30.0/24, or {AUTO}") for k in alone]
        found += sdk.range_faults(want)
        lonely = [k for k in BOOTS if want.get(k) and not want.get("boot_file")]
        found += [sdk.Refusal(k, "goes with a file to boot", "boot_file: what guests boot from the network") for k in lonely]
        if want.get("tftp") and want.get("boot_server"):
            found.append(sdk.Refusal("boot_server", "the file comes from a folder of this host (tftp) or from another server, not from both"))
        found += overlay.refusals(want, "network", OVERLAY)
        return found + broken(want)

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        """libvirt serves DHCP for one IPv6 range of a network (formatnetwork.html, element dhcp); of IPv4 others are its dnsmasq's."""
        if "metadata" not in profile.features:
            return [sdk.Refusal("", "this host keeps no metadata, so nothing there could say whose a network is", "external_id uses one that is there")]
        if want.get("mode") in BRIDGED:
            return refused(want, profile)
        own = [{"family": _family(str(want["cidr"])), "dhcp": want.get("dhcp", True)}] if want.get("cidr") else []
        families = [s["family"] for s in [*own, *want.get("subnets", ())] if s["dhcp"]]
        several = families.count("ipv6")
        if several < 2:
            return []
        return [sdk.Refusal("", f"libvirt gives addresses on one IPv6 range of a network, not on {several}", "dhcp: false at the others")]

    def adopt(
        self, host: sdk.Host, physical_id: str, identity: Mapping[str, Any], want: sdk.Properties
    ) -> tuple[dict[str, Any], dict[str, sdk.Value]]:
        found = _network(host, physical_id)
        if OURS in found.xml:
            raise sdk.ExistsError(f"the network {found.name} belongs to a stack already", hint=sdk.LET_GO)
        return {**identity, "physical_id": found.uuid, "uuid": found.uuid, "name": found.name, "bridge": found.bridge}, {"adopted": theirs(found.xml)}

    def describe(self, host: sdk.Host, physical_id: str, want: sdk.Properties) -> sdk.Described:
        found = _network(host, physical_id)
        return described(found)

    def draft(self, host: sdk.Host, physical_id: str, where: sdk.Properties) -> sdk.Draft:
        found = _network(host, physical_id)
        return draft(found)

    # on the host

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        uuid = str(ctx.identity["uuid"])
        found, kept = ctx.host.network_info(uuid), ctx.attributes.get("adopted")
        if found is not None and kept:
            if not found.active:
                ctx.host.network_start(uuid)
            ctx.host.network_define(owned(found.xml, ctx.ownership()))
            bring_live(ctx, found.xml, self._names(ctx, want), kept)
        elif found is not None and found.active and self._is_piece(ctx, found):
            ctx.host.network_renew(self._xml(ctx, want))
        elif found is None or not found.active:
            ctx.host.network_define(self._xml(ctx, want))
            ctx.host.network_start(uuid)
        elif want["mode"] == VLAN:
            bring_groups(ctx, found.xml, want)
        elif want["mode"] not in BRIDGED:
            bring_live(ctx, found.xml, self._names(ctx, want))
        return {}

    @staticmethod
    def _is_piece(ctx: sdk.Context, found: sdk.NetworkInfo) -> bool:
        """Whether it is this network's piece that is here, without addresses: then the network itself comes to this host."""
        return f'path="{ctx.path}:' in found.xml.replace("'", '"')

    def move(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """Its addresses, DHCP and DNS go to the other host; guests that are on it there stay on it."""
        attributes = self.create(ctx, want)
        for end in ctx.ends()[1:]:
            found = end.host.network_info(str(ctx.identity["uuid"]))
            if found is not None and not self._is_piece(ctx, found):
                self.delete(end, want)
        return attributes

    def _xml(self, ctx: sdk.Context, want: sdk.Properties) -> str:
        if want["mode"] in BRIDGED:
            return xml_of(ctx, want)
        subnets = self._subnets(ctx, want)
        served = [{**s, "tag": f"range{n}"} for n, s in enumerate(s for s in subnets if s["dhcp"] and s["family"] == "ipv4")]
        if want.get("tftp") and not ctx.allowed.may_give(want["tftp"]):
            raise sdk.FailedError(f"no guest may get {want['tftp']}", hint="who owns this machine can allow it: allow.devices in owner.yaml")
        xml = ctx.render(
            "network.xml.j2", ownership=ctx.ownership(), identity=ctx.identity, mode=want["mode"], domain=want.get("domain", ""), mtu=want.get("mtu"),
            subnets=subnets, first=served[0]["cidr"] if served else "", served=served, routed=any(s.get("routes") for s in served),
            asked=want["mode"] == "isolated" and "metadata-service" in ctx.host.profile.features,  # there is no default route to the service
            reservations=list(reservations(ctx).values()), names=self._names(ctx, want),
            tftp=want.get("tftp"), boot_file=want.get("boot_file"), boot_server=want.get("boot_server"),
            forwarders=sorted({n for s in subnets for n in s.get("dns_nameservers") or ()}),
        )  # fmt: skip
        return overlay.merged(xml, want.get("libvirt_overlay"))

    def _names(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, list[str]]:
        gateways = {s["gateway"]: [SIGNAL_NAME] for s in self._subnets(ctx, want)}
        return {} if want["mode"] in BRIDGED else dns_names(gateways, ctx.contributed.get("names", ()))

    @staticmethod
    def _subnets(ctx: sdk.Context, want: sdk.Properties) -> list[dict[str, Any]]:
        """Its own range, if it has one, and those that subnets contribute."""
        subnets = list(ctx.contributed.get("subnets", ()))
        if "cidr" in ctx.identity:
            found = sdk.subnet_range(str(ctx.identity["cidr"]), str(ctx.identity["gateway"]), want.get("pools") or ())
            own = {"cidr": found.cidr, "gateway": found.gateway, "prefix": found.prefix, "family": f"ipv{found.version}",
                   "dhcp": want["dhcp"], "pools": [{"start": a, "end": b} for a, b in found.pools], "routes": want.get("routes") or []}  # fmt: skip
            subnets.insert(0, own)
        return [{**s, "netmask": str(ipaddress.ip_network(s["cidr"]).netmask)} for s in subnets]

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        from xml.etree import ElementTree as ET

        found = ctx.host.network_info(str(ctx.identity["uuid"]))
        if found is None:
            return None
        root = ET.fromstring(found.xml)
        domain, mtu = root.find("domain"), root.find("mtu")
        observed: dict[str, Any] = {"mode": mode_of(root)}
        if observed["mode"] == VLAN:
            observed |= {"vlan": None, **tags_of(root), "port_groups": {g.get("name", ""): tags_of(g) for g in root.findall("portgroup")} or None}
        if domain is not None:
            observed["domain"] = domain.get("name", "")
        if mtu is not None:
            observed["mtu"] = int(mtu.get("size", "0"))
        return {**observed, sdk.DRIFT: drift_of(ctx, found, [] if last["mode"] in BRIDGED else self._subnets(ctx, last))}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        uuid = str(ctx.identity["uuid"])
        ctx.host.network_destroy(uuid)
        ctx.host.network_undefine(uuid)


def _family(cidr: str) -> str:
    return "ipv6" if ":" in cidr or cidr == AUTO6 else "ipv4"


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Neutron's and TOSCA's ways to say kind and addresses of a network."""
    start, end, kind = (properties.pop(k, None) for k in ("$start_ip", "$end_ip", "$network_type"))
    if (start is None) != (end is None):
        raise ValueError("start_ip and end_ip come together")
    if start is not None:
        properties["pools"] = [{"start": start, "end": end}]
    properties |= translated(kind, properties.pop("$tag", None))
    return properties


def _network(host: sdk.Host, physical_id: str) -> sdk.NetworkInfo:
    """A network by name or UUID; NotFoundError where there is none."""
    found = next((n for n in host.network_list() if physical_id in (n.uuid, n.name)), None)
    if found is None:
        raise sdk.NotFoundError(f"there is no network {physical_id}", hint="name it as 'virsh net-list --all' does, or by its UUID")
    return found
