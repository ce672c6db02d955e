"""SE::SecurityGroup: what may reach the servers that are in it, as a packet filter of the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk
from stackengine.sdk import overlay

from .rules import SELF, elements, faults, routed
from .translation import translate

__all__ = ["SecurityGroup", "translate"]


class SecurityGroup(sdk.ResourceType):
    """A filter that only accepts: the interface's own filter (SE::Server) puts groups together and drops the rest.

    Members (servers and ports in the group) contribute their addresses, so that rules can name a group instead of a range.
    """

    name: ClassVar[str] = "SE::SecurityGroup"

    # pure

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        name = ids.name(50)
        return {"physical_id": f"sg:{name}", "name": name, "uuid": ids.uuid()}

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        """To itself, the members of every other group that its rules name."""
        named = [r.get("group") for r in sdk.known_list(want.get("rules")) if isinstance(r, dict)]
        groups = sorted({g for g in named if isinstance(g, str) and g != SELF})
        return [sdk.Contribution(identity["physical_id"], "others", {"group": g, "members": sdk.Contributed(g, "members")}, g) for g in groups]

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        rules = sdk.known_list(want.get("rules"))
        found = overlay.refusals(want, "filter", {"rule": None})
        return found + [sdk.Refusal(f"rules.{i}", why) for i, rule in enumerate(rules) if isinstance(rule, dict) for why in faults(rule)]

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "nwfilter" in profile.features:
            return []
        return [sdk.Refusal("", "this host enforces no packet filters, so a security group would be a promise only", "leave the groups out on this host")]

    # on the host

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """Define over the same UUID: running guests follow at once."""
        members = {SELF: _addresses(ctx.contributed.get("members", ()))}
        members.update({e["group"]: _addresses(e["members"]) for e in ctx.contributed.get("others", ())})
        members[str(ctx.identity["physical_id"])] = members[SELF]
        others = [r["rule"] for r in ctx.contributed.get("rules", ())]
        for entry in ctx.contributed.get("rules", ()):
            if entry.get("members"):
                members[entry["rule"]["group"]] = _addresses(entry["members"])
        every = [*(want.get("rules") or ()), *others]
        rules = [e for rule in every for e in elements(rule, members)]
        xml = ctx.render("filter.xml.j2", identity=ctx.identity, rules=rules)
        ctx.host.filter_define(overlay.merged(xml, want.get("libvirt_overlay")))
        if "forwarding" in ctx.host.profile.features:  # a packet filter sees bridged packets only; what comes by a router does not pass it
            guard = {"kind": "guard", "addresses": members[SELF], "rules": [r for rule in every for r in routed(rule, members)]}
            ctx.host.forward(_key(ctx), [guard] if members[SELF] else [])
        return {}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return None if ctx.host.filter_info(str(ctx.identity["uuid"])) is None else {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        ctx.host.unforward(_key(ctx))
        ctx.host.filter_undefine(str(ctx.identity["uuid"]))


def _key(ctx: sdk.Context) -> str:
    return f"{ctx.stack_id}/{ctx.identity['physical_id']}"


def _addresses(members: Any) -> list[str]:
    return sorted({m["address"] for m in members if m["address"]})
