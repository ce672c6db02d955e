"""SE::Network: a virtual network of a host."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

SIGNAL_NAME = "signal.stackengine.internal"


class Network(sdk.ResourceType):
    """Defined with all its reservations at once; later ones are added live, as each costs the host about a second."""

    name: ClassVar[str] = "SE::Network"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        uuid = ids.uuid()
        bridge = ids.claim("bridge", (f"se{ids.token(10, f'bridge:{n}')}" for n in range(16)))
        return {"physical_id": uuid, "uuid": uuid, "name": ids.name(50), "bridge": bridge}

    def fixed(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset(f"cidr:{s['cidr']}" for s in want.get("subnets", ()))

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        found = ctx.host.network_info(str(ctx.identity["uuid"]))
        if found is None or not found.active:
            ctx.host.network_define(self._xml(ctx, want))
            ctx.host.network_start(str(ctx.identity["uuid"]))
        else:
            self._bring_reservations(ctx, found.xml)
        return {}

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        return self.create(ctx, want)

    def _xml(self, ctx: sdk.Context, want: sdk.Properties) -> str:
        subnets = [
            {**s, "reservations": [r for r in ctx.contributed.get("reservations", ()) if _inside(r["address"], s["cidr"])]}
            for s in ctx.contributed.get("subnets", ())
        ]
        return ctx.render(
            "network.xml.j2", ownership=ctx.ownership(), identity=ctx.identity, mode=want["mode"], domain=want.get("domain", ""), mtu=want.get("mtu"),
            subnets=subnets, signal_name=SIGNAL_NAME,
        )  # fmt: skip

    def _bring_reservations(self, ctx: sdk.Context, xml: str) -> None:
        """Add, change and remove DHCP hosts until they are as contributed."""
        from xml.etree import ElementTree as ET

        uuid = str(ctx.identity["uuid"])
        have = {h.get("mac", ""): (h.get("ip", ""), h.get("name", "")) for h in ET.fromstring(xml).findall("ip/dhcp/host")}
        wanted = {r["mac"]: (r["address"], r["name"]) for r in ctx.contributed.get("reservations", ())}
        for mac, (address, name) in have.items():
            if wanted.get(mac) != (address, name):
                ctx.host.network_update(uuid, "delete", "ip-dhcp-host", ctx.render("host.xml.j2", mac=mac, address=address, name=name))
        for mac, (address, name) in wanted.items():
            if have.get(mac) != (address, name):
                ctx.host.network_update(uuid, "add", "ip-dhcp-host", ctx.render("host.xml.j2", mac=mac, address=address, name=name))

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        found = ctx.host.network_info(str(ctx.identity["uuid"]))
        return {} if found is not None and found.active else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        uuid = str(ctx.identity["uuid"])
        ctx.host.network_destroy(uuid)
        ctx.host.network_undefine(uuid)


def _inside(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)
