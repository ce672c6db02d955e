"""Neutron's and EC2's ways to write rules. Source: Heat's OS::Neutron::SecurityGroup, CloudFormation's AWS::EC2::SecurityGroup."""

from __future__ import annotations

from typing import Any

from .rules import SELF, protocol_of

_EVERYTHING = [{"direction": "egress", "family": "ipv4"}, {"direction": "egress", "family": "ipv6"}]
"""What both clouds let out where no rule of egress is given."""
_NEUTRON = frozenset({"direction", "ethertype", "port_range_min", "port_range_max", "protocol", "remote_group_id", "remote_ip_prefix", "remote_mode",
                      "remote_group", "description", "security_group", "security_group_id"})  # fmt: skip
_EC2 = frozenset({"IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourceSecurityGroupName", "Description",
                  "DestinationSecurityGroupId", "SourceSecurityGroupOwnerId", "GroupId", "GroupName"})  # fmt: skip


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Take up the rules; ValueError for what cannot be said here."""
    if "$rules" in properties:
        rules = [neutron_rule(r) for r in _maps(properties.pop("$rules"), "rules")]
        properties["rules"] = rules if any(r["direction"] == "egress" for r in rules) else [*rules, *_EVERYTHING]
    elif foreign_type == "OS::Neutron::SecurityGroup":
        properties["rules"] = list(_EVERYTHING)
    inward, outward = properties.pop("$ingress", None), properties.pop("$egress", None)
    if foreign_type == "AWS::EC2::SecurityGroup":
        rules = [ec2_rule(r, "ingress") for r in _maps(inward or [], "SecurityGroupIngress")]
        rules += [ec2_rule(r, "egress") for r in _maps(outward, "SecurityGroupEgress")] if outward else _EVERYTHING
        properties["rules"] = rules
    return properties


def _maps(value: Any, what: str) -> list[dict[str, Any]]:
    found = [value] if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError(f"{what} is a list of maps that are known before apply")
    return found


def neutron_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule of Neutron."""
    _known(rule, _NEUTRON)
    family = str(rule.get("ethertype") or "IPv4").lower()
    group = rule.get("remote_group_id", rule.get("remote_group"))
    if group is None and rule.get("remote_mode") == "remote_group_id":
        group = SELF
    return _made(str(rule.get("direction") or "ingress"), family, protocol_of(rule.get("protocol")), rule.get("port_range_min"), rule.get("port_range_max"),
                 rule.get("remote_ip_prefix"), group)  # fmt: skip


def ec2_rule(rule: dict[str, Any], direction: str) -> dict[str, Any]:
    """One rule of EC2; -1 is every protocol, or every type and code of ICMP."""
    _known(rule, _EC2)
    cidr = rule.get("CidrIp", rule.get("CidrIpv6"))
    family = "ipv6" if "CidrIpv6" in rule else "ipv4"
    protocol = protocol_of(rule.get("IpProtocol"))
    group = rule.get("SourceSecurityGroupId", rule.get("DestinationSecurityGroupId", rule.get("SourceSecurityGroupName")))
    ports = (None, None) if protocol == "any" else (rule.get("FromPort"), rule.get("ToPort"))
    return _made(direction, "ipv6" if protocol == "icmpv6" else family, protocol, *ports, cidr, group)


def _known(rule: dict[str, Any], keys: frozenset[str]) -> None:
    strange = sorted(rule.keys() - keys)
    if any("PrefixList" in key for key in strange):
        raise ValueError("there are no prefix lists")
    if strange:
        raise ValueError(f"a rule has no {', '.join(strange)}")


def _made(direction: str, family: str, protocol: str, low: Any, high: Any, cidr: Any, group: Any) -> dict[str, Any]:
    made = {"direction": direction, "family": family, "protocol": protocol, "from_port": _number(low), "to_port": _number(high), "cidr": cidr, "group": group}
    return {k: v for k, v in made.items() if v is not None}


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value
