"""SE::PublishedPort: a port of a server, reachable on this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from stackengine import sdk

LOOPBACK = "127.0.0.1"
TRIED = 4096
"""Loopback addresses that are looked at."""


class PublishedPort(sdk.ResourceType):
    """A small process of the host listens on loopback and connects to the guest."""

    name: ClassVar[str] = "SE::PublishedPort"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        server = ids.referred(want["server"])
        if server is None or not server.identity.get("address"):
            raise sdk.RefusedError("a published port needs a server of this stack with an address")
        given, listen, named = want.get("port"), want["listen"], {}
        if want.get("name") and ids.pools.zone:
            named = {"name": ids.claim("dns", [f"{want['name']}.{_label(ids.stack)}.{ids.pools.zone}"])}
            listen = ids.claim("loopback", _addresses(ids)) if listen == LOOPBACK else listen
        start = int.from_bytes(ids.random(2, "port"), "big")
        first, last = ids.pools.ports
        count = last - first + 1
        ports = [given] if given else [first + (start + n) % count for n in range(count)]
        port = int(ids.claim("port", (f"{listen}:{p}" for p in ports)).rpartition(":")[2])
        return {"physical_id": f"{listen}:{port}", "address": listen, "port": port, "url": f"http://{named.get('name', listen)}:{port}/", **named}

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "publish" in profile.features:
            return []
        return [sdk.Refusal("server", "this host cannot publish ports", "published ports need a host on this machine")]

    def fixed(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset({f"port:{identity['physical_id']}"})

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        i, server = ctx.identity, ctx.referred(want["server"])
        if server is None:
            raise sdk.FailedError("a published port needs a server of this stack", hint=sdk.NAME_IT)
        ctx.host.publish_port(self._key(ctx), i["address"], i["port"], server.identity["address"], want["target_port"])
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {} if self._key(ctx) in ctx.host.published_ports() else None

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unpublish_port(self._key(ctx))

    @staticmethod
    def _key(ctx: sdk.Context) -> str:
        return f"{ctx.stack_id}/{ctx.path}@{ctx.generation}"


def _label(stack: str) -> str:
    """A stack's name as a DNS label (RFC 1035); names of branch environments are such labels."""
    return re.sub(r"[^a-z0-9]+", "-", stack.lower()).strip("-")[:63] or "stack"


def _addresses(ids: sdk.Identities) -> Iterator[str]:
    """Loopback addresses of the owner's range, from a hashed place on; never its first."""
    network = ipaddress.IPv4Network(ids.pools.addresses)
    start, count = int.from_bytes(ids.random(3, "loopback"), "big"), network.num_addresses - 2
    return (str(network[1 + (start + n) % count]) for n in range(min(count, TRIED)))
