"""SE::NetworkPiece: a network's part on one of the hosts that it spans."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from stackengine import sdk


class NetworkPiece(sdk.ResourceType):
    """Away from the network's own host a network of the same name, UUID and bridge, without addresses; on every host the tunnel to the others.

    So a server's definition says the same wherever it runs. Broadcasts go to each of the other hosts (head-end replication, RFC 7348 without
    multicast); where a MAC is, the tunnel learns.
    """

    name: ClassVar[str] = "SE::NetworkPiece"
    carries: ClassVar[bool] = True

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        network = ids.referred(want["network"])
        if network is None:
            raise sdk.RefusedError("a piece needs a network of this stack")
        uuid, bridge = str(network.identity["uuid"]), str(network.identity["bridge"])
        vni = int.from_bytes(hashlib.sha256(uuid.encode()).digest()[:3], "big") or 1  # 24 bits (RFC 7348, section 5)
        ids.claim("vni", [str(vni)])
        if not want.get("carrier"):
            ids.claim("bridge", [bridge])
        return {"physical_id": f"{uuid}-{ids.token(8, 'piece')}", "uuid": uuid, "name": network.identity["name"], "bridge": bridge, "vni": vni}

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "overlay" in profile.features:
            return []
        return [sdk.Refusal("", "on this host no tunnel can be made", "a private host can: private://NAME")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        uuid = str(ctx.identity["uuid"])
        if not want.get("carrier"):
            found = ctx.host.network_info(uuid)
            if found is None or not found.active:
                network = ctx.referred(want["network"])
                mtu = network.properties.get("mtu") if network is not None else None
                ctx.host.network_define(ctx.render("network.xml.j2", ownership=ctx.ownership(), identity=ctx.identity, mtu=mtu))
                ctx.host.network_start(uuid)
        ctx.host.forward(self._key(ctx), [self._tunnel(ctx, want)])
        return {}

    @staticmethod
    def _tunnel(ctx: sdk.Context, want: sdk.Properties) -> dict[str, Any]:
        bridge, vni = str(ctx.identity["bridge"]), int(ctx.identity["vni"])
        return {"kind": "overlay", "bridge": bridge, "vni": vni, "address": want["address"], "peers": list(want["peers"])}

    @staticmethod
    def _key(ctx: sdk.Context) -> str:
        return f"{ctx.stack_id}/{ctx.identity['physical_id']}"

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        entries = ctx.host.forwarding().get(self._key(ctx))
        found = ctx.host.network_info(str(ctx.identity["uuid"]))
        if not entries or (found is None and not last.get("carrier")):
            return None
        drift = [] if found is None or found.active else [{"prop": "active", "expected": True, "found": False}]
        return {"address": entries[0]["address"], "peers": list(entries[0]["peers"]), sdk.DRIFT: drift}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(self._key(ctx))
        uuid = str(ctx.identity["uuid"])
        found = ctx.host.network_info(uuid) if not last.get("carrier") else None
        if found is not None and f'path="{ctx.path}"' in found.xml.replace("'", '"'):  # the network itself may be here by now
            ctx.host.network_destroy(uuid)
            ctx.host.network_undefine(uuid)
