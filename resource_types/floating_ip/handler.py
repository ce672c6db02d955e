"""SE::FloatingIP: an address on another network that stands for a guest's own, and can be moved from guest to guest."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from stackengine import sdk

POOL = "100.96.0.0/16"
"""Where addresses come from that are on no network of the stack: part of the shared address space (RFC 6598), which no site routes."""


class FloatingIP(sdk.ResourceType):
    """The host answers for it, and passes on what comes to the guest, whose own connections go out under it."""

    name: ClassVar[str] = "SE::FloatingIP"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        subnet = ids.referred(want.get("subnet"))
        place, given = subnet or ids.referred(want.get("network")), want.get("address") or ""
        if place is not None:
            address = sdk.take_address(ids, place, "address", given)["address"]
        else:
            address = ids.claim("address", [given] if given else _pool(ids.random(2, "address")))
        network = subnet.identity["network"] if subnet is not None else place.physical_id if place is not None else ""
        return {"physical_id": f"fip-{ids.token(12, 'floating')}", "address": address, "network": network}

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return sdk.addresses_had(identity.get("network") or "", [identity["address"]])

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        found = []
        if want.get("port") and want.get("server"):
            found.append(sdk.Refusal("server", "a floating address stands for a port or for a server, not for both"))
        given, name = want.get("address"), want.get("network")
        if isinstance(given, str) and given:
            try:
                ipaddress.ip_address(given)
            except ValueError as error:
                found.append(sdk.Refusal("address", str(error), "an address is written like 100.96.0.9; left out, a free one is taken"))
        if isinstance(name, str) and name and not want.get("subnet"):
            instead = f"{given}, as it says" if given else f"one of {POOL}, which only this machine reaches"
            text = f"no network {name} in this template: the address is {instead}"
            found.append(sdk.Refusal("network", text, "a reference to a network, also one with external_id: the address is one of its range", "notice"))
        return found

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "forwarding" in profile.features:
            return []
        return [sdk.Refusal("", "this host has no floating addresses: its firewall stays as it is", "SE::PublishedPort, or a private host: private://NAME")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        guest = ctx.referred(want["port"]) if want.get("port") else ctx.referred(want["server"]) if want.get("server") else None
        if guest is None:
            ctx.host.forward(_key(ctx), [])
            return {}
        ctx.host.forward(_key(ctx), [sdk.floating_entry(str(ctx.identity["address"]), guest, want.get("fixed_address") or "")])
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {} if _key(ctx) in ctx.host.forwarding() else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))


def _pool(start: bytes) -> Iterator[str]:
    network, first = ipaddress.ip_network(POOL), int.from_bytes(start, "big")
    size = network.num_addresses
    return (str(network[(first + n) % size]) for n in range(size) if (first + n) % size not in (0, size - 1))


def _key(ctx: sdk.Context) -> str:
    return f"{ctx.stack_id}/{ctx.identity['physical_id']}"
