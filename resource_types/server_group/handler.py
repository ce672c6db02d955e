"""SE::ServerGroup: a record; the scheduler reads it when it places the servers that name it."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class ServerGroup(sdk.RecordType):
    """Nothing on a host."""

    name: ClassVar[str] = "SE::ServerGroup"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        return {"physical_id": f"group-{ids.token(12, 'group')}"}

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"policy": want["policy"]}


EC2 = {"cluster": "soft-affinity", "spread": "anti-affinity", "partition": "soft-anti-affinity"}
"""EC2 packs a cluster close together for its network, and puts the members of a spread on distinct hardware (Amazon EC2 User Guide, placement groups)."""


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Nova's list of one policy (before microversion 2.64: ``policies``) with its rules, and EC2's strategy."""
    policies = properties.pop("$policies", None)
    if isinstance(policies, list) and policies:
        if len(policies) > 1:
            raise ValueError("a group has one policy")
        properties["policy"] = policies[0]
    strategy = properties.pop("$strategy", None)
    if isinstance(strategy, str):
        if strategy not in EC2:
            raise ValueError(f"there is no strategy {strategy}; {', '.join(EC2)} are there")
        properties["policy"] = EC2[strategy]
    elif foreign_type == "AWS::EC2::PlacementGroup" and strategy is None:
        properties["policy"] = EC2["cluster"]
    rules = properties.pop("$rules", None)
    if isinstance(rules, dict) and rules.get("max_server_per_host") is not None:
        properties["max_per_host"] = rules["max_server_per_host"]
    return properties
