"""Lab::Thing: a plain thing on a strict host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class Thing(sdk.ResourceType):
    """Several host calls for every verb, so that there are many places to crash in."""

    name: ClassVar[str] = "Lab::Thing"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        name = want.get("name")
        if name:
            ids.claim("name", [name])
        return {"physical_id": f"{ids.path}-{ids.token(8)}", "mark": ids.claim("mark", (ids.token(6, f"mark{n}") for n in range(9)))}

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        me = {"id": identity["physical_id"]}
        pairs = (("joins", "members"), ("spans", "spans"))
        found = [sdk.Contribution(want[p], k, me, identity["physical_id"]) for p, k in pairs if isinstance(want.get(p), str)]
        if isinstance(want.get("joins"), str):  # who joins knows who else did
            found.append(sdk.Contribution(identity["physical_id"], "fellows", {"members": sdk.Contributed(want["joins"], "members")}))
        return found

    def exclusive(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset({f"device:{d}" for p in ("devices", "loans") for d in sdk.known_list(want.get(p))})

    def fixed(self, identity: Mapping[str, Any], want: sdk.Properties) -> frozenset[str]:
        return frozenset({f"name:{want['name']}"}) if want.get("name") else frozenset()

    def gate(self, identity: Mapping[str, Any], want: sdk.Properties) -> sdk.Gate | None:
        return sdk.Gate("running", 600, identity["physical_id"]) if want.get("gate") else None

    def rewrites(self, identity: Mapping[str, Any], last: sdk.Properties, want: sdk.Properties) -> list[tuple[str, str]]:
        return [("lab", str(identity["physical_id"]))] if want.get("room", 0) > last.get("room", 0) else []

    def lasting(self, last: sdk.Properties, want: sdk.Properties) -> list[sdk.Refusal]:
        return [sdk.Refusal("room", "it does not shrink")] if want.get("room", 0) < last.get("room", 0) else []

    def describe(self, host: Any, physical_id: str, want: sdk.Properties) -> sdk.Described:
        found = host.look(physical_id)
        if found is None:
            raise sdk.NotFoundError(f"there is no {physical_id}")
        return sdk.Described({"physical_id": physical_id}, {"size": found["size"]}, found)

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        host: Any = ctx.host
        me, spec = str(ctx.identity["physical_id"]), spec_of(ctx.path, want, ctx.contributed)
        before = host.get(me)
        host.put(me, spec)
        if before is not None and before["on"] and before["runs"] != spec["mode"]:
            host.stop(me)
        host.start(me)
        ctx.progress(f"{me} started with {want.get('secret')}")
        echo = {"echo": [want["secret"]]} if want.get("secret") else {}
        return {**echo, "serial": host.get(me)["serial"], "size": want.get("size"), "password": f"made-{host.get(me)['serial']}-by-the-host"}

    def take_copies(self, ctx: sdk.Context, disks: sdk.Disks) -> None:
        host: Any = ctx.host
        for _, me, copy in disks:
            host.copy(me, copy)

    def bring_back(self, ctx: sdk.Context, last: sdk.Properties, disks: sdk.Disks) -> None:
        host: Any = ctx.host
        for _, me, copy in disks:
            host.stop(me)
            host.lose(me)
            host.bring(me, copy)

    def drop_copies(self, ctx: sdk.Context, disks: sdk.Disks) -> None:
        host: Any = ctx.host
        for _, me, copy in disks:
            host.toss(me, copy)

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        host: Any = ctx.host
        found = host.get(str(ctx.identity["physical_id"]))
        return None if found is None else {"size": found["size"]}

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        host: Any = ctx.host
        host.stop(str(ctx.identity["physical_id"]))

    def release(self, ctx: sdk.Context, last: sdk.Properties, of: str) -> None:
        host: Any = ctx.host
        host.stop(str(ctx.identity["physical_id"]))
        host.unref(str(ctx.identity["physical_id"]), of)

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        host: Any = ctx.host
        host.stop(str(ctx.identity["physical_id"]))
        host.drop(str(ctx.identity["physical_id"]))


def spec_of(path: str, want: Mapping[str, Any], contributed: Mapping[str, Any]) -> dict[str, Any]:
    """What the host is told."""
    refs = [*(want.get("needs") or ()), *(want[p] for p in ("base", "joins", "spans") if want.get(p))]
    told = {k: want.get(k) for k in ("kind", "size", "mode", "name", "learned", "sprung", "secret")}
    devices = sorted({*(want.get("devices") or ()), *(want.get("loans") or ())})
    members = sorted(m["id"] for k in ("members", "spans") for m in contributed.get(k, ()))
    told["fellows"] = sorted(m["id"] for e in contributed.get("fellows", ()) for m in e["members"])
    return {**told, "path": path, "room": want.get("room", 0), "devices": devices, "refs": sorted(set(refs)), "members": members}
