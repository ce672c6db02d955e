"""What a private host forwards between its networks: routers, floating addresses, and the security groups of what is reached that way.

All of it is one table (key -> entries, :data:`Entry`), from which the rules are made anew and handed to the kernel at once. They stand in chains of our
own: behind those of libvirt's packet filters, whose verdicts count, and before those of libvirt's networks, which refuse whatever they do not know.

- ``between``: two ranges (``one``, ``other``) reach each other as they are;
- ``out``: a range (``cidr``) reaches another (``to``), or what the host reaches (``to`` is empty), under the host's address;
- ``floating``: an address (``address``) stands for a guest's (``to``, in the range ``cidr``), both ways;
- ``overlay``: a tunnel (:mod:`.overlay`) from a network's bridge to the other hosts that it spans;
- ``guard``: what may reach ``addresses``, and they may reach (``rules``: direction, family, protocol, from_port, to_port, cidr); for routed packets only.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stackengine import locks
from stackengine.hosts.private import overlay
from stackengine.hosts.private.inside import feed, listing

Table = Mapping[str, Sequence[Mapping[str, Any]]]
OUTSIDE = "tap0"
"""The device of the way out (:mod:`.outward`)."""
LABEL = "lo:se"
"""By which our addresses on the loopback device are known."""
PORTS = ("tcp", "udp", "sctp")


def restore_text(table: Table, version: int) -> str:
    """What ``iptables-restore`` (6: ``ip6tables-restore``) takes."""
    entries = [e for key in sorted(table) for e in table[key]]
    forward, guard = list(_forward(entries, version)), list(_guard(entries, version))
    pre, post = list(_destinations(entries, version)), list(_sources(entries, version))
    chains = sorted({line.split()[1] for line in guard} - {"SE_GUARD"})
    lines = ["*filter", ":SE_FORWARD - [0:0]", ":SE_GUARD - [0:0]", *(f":{c} - [0:0]" for c in chains), *guard, *forward, "COMMIT"]
    lines += ["*nat", ":SE_PRE - [0:0]", ":SE_OUT - [0:0]", ":SE_POST - [0:0]", *(line.format(chain="SE_PRE") for line in pre)]
    return "\n".join([*lines, *(line.format(chain="SE_OUT") for line in pre), *post, "COMMIT", ""])


def floating_addresses(table: Table) -> set[str]:
    """Addresses that the host answers for."""
    return {str(e["address"]) for entries in table.values() for e in entries if e["kind"] == "floating"}


def _of(version: int, text: str) -> bool:
    return bool(text) and ipaddress.ip_network(text, strict=False).version == version


def _forward(entries: Sequence[Mapping[str, Any]], version: int) -> Iterator[str]:
    yield "-A SE_FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield "-A SE_FORWARD -m physdev ! --physdev-is-bridged -j SE_GUARD"
    for e in entries:
        if e["kind"] == "between" and _of(version, e["one"]):
            yield f"-A SE_FORWARD -s {e['one']} -d {e['other']} -j ACCEPT"
            yield f"-A SE_FORWARD -s {e['other']} -d {e['one']} -j ACCEPT"
        elif e["kind"] == "out" and _of(version, e["cidr"]):
            yield f"-A SE_FORWARD -s {e['cidr']} {'-d ' + e['to'] if e['to'] else '-o ' + OUTSIDE} -j ACCEPT"
        elif e["kind"] == "floating" and _of(version, e["to"]):
            yield f"-A SE_FORWARD -d {e['to']} -m conntrack --ctstate DNAT -j ACCEPT"


def _guard(entries: Sequence[Mapping[str, Any]], version: int) -> Iterator[str]:
    """For each guarded address a chain inward and one outward: what a rule accepts goes back, the rest is dropped."""
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for e in entries:
        for address in e["addresses"] if e["kind"] == "guard" else ():
            if _of(version, address):
                rules.setdefault(address, []).extend(e["rules"])
    for number, address in enumerate(sorted(rules)):
        for word, side, other, name in (("ingress", "-d", "-s", f"SE_TO_{number}"), ("egress", "-s", "-d", f"SE_OF_{number}")):
            yield f"-A SE_GUARD {side} {address} -j {name}"
            for rule in rules[address]:
                if (rule.get("direction") or "ingress") == word and rule.get("family", "ipv4") == f"ipv{version}":
                    yield f"-A {name}{_match(rule, other)} -j RETURN"
            yield f"-A {name} -j DROP"


def _match(rule: Mapping[str, Any], other: str) -> str:
    protocol, low, high = rule.get("protocol") or "any", rule.get("from_port"), rule.get("to_port")
    found = f" {other} {rule['cidr']}" if rule.get("cidr") else ""
    if protocol != "any":
        found += f" -p {protocol}"
    if protocol in PORTS and low is not None:
        found += f" --dport {low}:{high}"
    if protocol in ("icmp", "icmpv6") and low is not None and low >= 0:
        found += f" --{protocol}-type {low}" + (f"/{high}" if high is not None and high >= 0 else "")
    return found


def _destinations(entries: Sequence[Mapping[str, Any]], version: int) -> Iterator[str]:
    for e in entries:
        if e["kind"] == "floating" and _of(version, e["to"]):
            yield f"-A {{chain}} -d {e['address']} -j DNAT --to-destination {e['to']}"


def _sources(entries: Sequence[Mapping[str, Any]], version: int) -> Iterator[str]:
    for e in entries:
        if e["kind"] == "between" and _of(version, e["one"]):
            yield f"-A SE_POST -s {e['one']} -d {e['other']} -j ACCEPT"  # not under the host's address, as libvirt's own rules would have it
            yield f"-A SE_POST -s {e['other']} -d {e['one']} -j ACCEPT"
    for e in entries:
        if e["kind"] == "floating" and _of(version, e["to"]):
            yield f"-A SE_POST -s {e['cidr']} -d {e['to']} -m conntrack --ctstate DNAT -j MASQUERADE"  # a neighbour's answer comes back this way
            yield f"-A SE_POST -s {e['to']} ! -d {e['cidr']} -j SNAT --to-source {e['address']}"
    for e in entries:
        if e["kind"] == "out" and _of(version, e["cidr"]):
            yield f"-A SE_POST -s {e['cidr']} {'-d ' + e['to'] if e['to'] else '-o ' + OUTSIDE} -j MASQUERADE"


# inside the namespaces


def apply(file: Path) -> None:
    """Bring the kernel to what the table in ``file`` says; OSError with what it refuses. Runs in the host's network namespace."""
    with locks.alone(file.parent / "forwarding.lock"):
        table: Table = json.loads(file.read_text()) if file.is_file() else {}
        for version, program in ((4, "iptables"), (6, "ip6tables")):
            feed([f"{program}-restore", "--noflush", "--wait"], restore_text(table, version))
            _jump(program, "filter", "FORWARD", "SE_FORWARD")
            for chain, ours in (("PREROUTING", "SE_PRE"), ("OUTPUT", "SE_OUT"), ("POSTROUTING", "SE_POST")):
                _jump(program, "nat", chain, ours)
        overlay.apply([e for entries in table.values() for e in entries if e["kind"] == "overlay"])
        wanted, there = floating_addresses(table), _addresses_there()
        changes = [f"addr del {a}/32 dev lo" for a in sorted(there - wanted)] + [f"addr add {a}/32 dev lo label {LABEL}" for a in sorted(wanted - there)]
        if changes:
            feed(["ip", "-batch", "-"], "\n".join([*changes, ""]))


def _jump(program: str, table: str, chain: str, ours: str) -> None:
    """A jump to our chain right before the first one to libvirt's networks, which are refused what they do not know."""
    rules = [line for line in listing(program, "-w", "-t", table, "-S", chain) if line.startswith("-A ")]
    mine = f"-A {chain} -j {ours}"
    others = [line for line in rules if line != mine]
    place = next((n for n, line in enumerate(others) if "-j LIBVIRT_" in line), len(others))
    if rules == [*others[:place], mine, *others[place:]]:
        return
    for _ in range(len(rules) - len(others)):
        feed([program, "-w", "-t", table, "-D", chain, "-j", ours], "")
    feed([program, "-w", "-t", table, "-I", chain, str(place + 1), "-j", ours], "")


def _addresses_there() -> set[str]:
    return {line.split()[3].split("/")[0] for line in listing("ip", "-o", "-4", "addr", "show", "dev", "lo", "label", LABEL)}
