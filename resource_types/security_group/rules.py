"""Rules as people write them, and as libvirt's filters say them (formatnwfilter.html)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SELF = "self"
"""A rule's group may be the one that it stands in."""
PROTOCOLS = {"tcp": "tcp", "udp": "udp", "sctp": "sctp", "icmp": "icmp", "icmpv6": "icmpv6", "esp": "esp", "ah": "ah", "igmp": "igmp", "any": "all"}
"""Protocol -> the element of a filter rule; those of IPv6 end in ``-ipv6`` (except icmpv6)."""
NUMBERS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "50": "esp", "51": "ah", "58": "icmpv6", "132": "sctp", "-1": "any"}
WITH_PORTS = ("tcp", "udp", "sctp")


def protocol_of(value: Any) -> str:
    """A protocol's name, of a name or an IANA number; unknown ones are given back as they are."""
    text = str("any" if value in (None, "") else value).lower()
    named = NUMBERS.get(text, text)
    return {"ipv6-icmp": "icmpv6", "all": "any"}.get(named, named)


def faults(rule: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one rule, as far as it is known now."""
    protocol, family = rule.get("protocol", "any"), rule.get("family", "ipv4")
    low, high = rule.get("from_port"), rule.get("to_port")
    if rule.get("cidr") is not None and rule.get("group") is not None:
        yield "a rule names a range (cidr) or a group, not both"
    if isinstance(protocol, str) and protocol not in PROTOCOLS:
        yield f"the protocol {protocol} cannot be filtered here; known: {', '.join(PROTOCOLS)}"
    if (low is None) != (high is None) and protocol in WITH_PORTS:
        yield "from_port and to_port come together"
    if isinstance(low, int) and isinstance(high, int) and protocol in WITH_PORTS and low > high:
        yield f"from_port {low} is above to_port {high}"
    if protocol == "any" and (low is not None or high is not None):
        yield "ports need a protocol that has ports: tcp, udp or sctp"
    if (protocol, family) in (("icmp", "ipv6"), ("icmpv6", "ipv4")):
        yield f"{protocol} does not go with {family}"
    cidr = rule.get("cidr")
    if isinstance(cidr, str):
        try:
            version = ipaddress.ip_network(cidr, strict=False).version
        except ValueError:
            yield f"{cidr} is no range of addresses"
        else:
            if f"ipv{version}" != family:
                yield f"{cidr} is no {family} range"


def elements(rule: Mapping[str, Any], members: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """The filter rules that one rule is: one for each address of a group that it names, none while that group has no members."""
    family, protocol = rule.get("family") or "ipv4", rule.get("protocol") or "any"
    inward = (rule.get("direction") or "ingress") == "ingress"
    element = PROTOCOLS[protocol] + ("-ipv6" if family == "ipv6" and protocol != "icmpv6" else "")
    attributes = {**_ports(protocol, rule.get("from_port"), rule.get("to_port"))}
    for network in _networks(rule, family, members):
        where = {} if network is None else _range(network, "src" if inward else "dst")
        yield {"direction": "in" if inward else "out", "element": element, "attributes": {**where, **attributes}}


def routed(rule: Mapping[str, Any], members: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """The same for packets that the host forwards from network to network (``sdk.Host.forward``): a rule for each range that one rule means."""
    family = rule.get("family") or "ipv4"
    plain = {k: rule[k] for k in ("direction", "protocol", "from_port", "to_port") if rule.get(k) is not None}
    for network in _networks(rule, family, members):
        yield {**plain, "family": family, **({} if network is None else {"cidr": str(network)})}


def _networks(rule: Mapping[str, Any], family: str, members: Mapping[str, Sequence[str]]) -> list[Any]:
    if rule.get("group") is not None:
        found = [ipaddress.ip_network(a) for a in members.get(rule["group"], ())]
        return [n for n in found if f"ipv{n.version}" == family]
    if rule.get("cidr") is None:
        return [None]
    network = ipaddress.ip_network(rule["cidr"], strict=False)
    return [None if network.prefixlen == 0 else network]


def _range(network: ipaddress.IPv4Network | ipaddress.IPv6Network, side: str) -> dict[str, str]:
    return {f"{side}ipaddr": str(network.network_address), f"{side}ipmask": str(network.prefixlen)}


def _ports(protocol: str, low: Any, high: Any) -> dict[str, str]:
    """Ports; of ICMP, type and code, as Neutron and EC2 write them into the same two fields (-1: any)."""
    if protocol in WITH_PORTS and low is not None:
        return {"dstportstart": str(low), "dstportend": str(high)}
    if protocol in ("icmp", "icmpv6"):
        return {k: str(v) for k, v in (("type", low), ("code", high)) if v is not None and v >= 0}
    return {}
