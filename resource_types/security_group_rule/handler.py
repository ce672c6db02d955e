"""SE::SecurityGroupRule: a rule that its group takes up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk

KEYS = ("direction", "family", "protocol", "from_port", "to_port", "cidr", "group")
_NUMBERS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "50": "esp", "51": "ah", "58": "icmpv6", "132": "sctp", "-1": "any", "ipv6-icmp": "icmpv6"}


class SecurityGroupRule(sdk.RecordType):
    """A record; what it says is contributed to its group, together with the members of the group that it names."""

    name: ClassVar[str] = "SE::SecurityGroupRule"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        return {"physical_id": f"rule-{ids.token(12, 'rule')}"}

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        rule = {k: want[k] for k in KEYS if want.get(k) is not None}
        value: dict[str, Any] = {"rule": rule}
        if isinstance(rule.get("group"), str):
            value["members"] = sdk.Contributed(rule["group"], "members")
        return [sdk.Contribution(want["security_group"], "rules", value, identity["physical_id"])]


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Names of protocols and families, and EC2's -1."""
    if "$ethertype" in properties:
        properties["family"] = str(properties.pop("$ethertype")).lower()
    if "$cidr6" in properties:
        properties.update(cidr=properties.pop("$cidr6"), family="ipv6")
    protocol = properties.pop("$protocol", None)
    if protocol is not None and not isinstance(protocol, sdk.Unknown):
        named = str(protocol).lower()
        protocol = _NUMBERS.get(named, "any" if named == "all" else named)
    if protocol is not None:
        properties["protocol"] = protocol
    low, high = properties.pop("$from", None), properties.pop("$to", None)
    if protocol != "any":
        numbers = {"from_port": low, "to_port": high}
        properties.update({k: int(v) if isinstance(v, str) and v.lstrip("-").isdigit() else v for k, v in numbers.items() if v is not None})
    return properties
