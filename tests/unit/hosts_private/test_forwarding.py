"""What a private host forwards, as the kernel is told."""

from __future__ import annotations

from typing import Any

from stackengine.hosts.private.forwarding import floating_addresses, restore_text

TABLE: dict[str, list[dict[str, Any]]] = {
    "router": [{"kind": "between", "one": "10.1.0.0/24", "other": "10.2.0.0/24"}, {"kind": "out", "cidr": "10.1.0.0/24", "to": ""},
               {"kind": "between", "one": "fd00:1::/64", "other": "fd00:2::/64"}],
    "floating": [{"kind": "floating", "address": "100.96.0.9", "to": "10.1.0.5", "cidr": "10.1.0.0/24"}],
    "group": [{"kind": "guard", "addresses": ["10.1.0.5", "fd00:1::5"], "rules": [
        {"direction": "ingress", "family": "ipv4", "protocol": "tcp", "from_port": 80, "to_port": 81, "cidr": "10.2.0.0/24"},
        {"direction": "ingress", "family": "ipv4", "protocol": "icmp", "from_port": 8, "to_port": 0}]}],
}  # fmt: skip


def test_a_family_gets_its_own_rules_and_the_guard_comes_before_what_is_let_through() -> None:
    four, six = restore_text(TABLE, 4).splitlines(), restore_text(TABLE, 6).splitlines()
    assert "-A SE_FORWARD -s 10.2.0.0/24 -d 10.1.0.0/24 -j ACCEPT" in four
    assert four.index("-A SE_FORWARD -m physdev ! --physdev-is-bridged -j SE_GUARD") < four.index("-A SE_FORWARD -s 10.1.0.0/24 -d 10.2.0.0/24 -j ACCEPT")
    assert "-A SE_TO_0 -s 10.2.0.0/24 -p tcp --dport 80:81 -j RETURN" in four
    assert "-A SE_TO_0 -p icmp --icmp-type 8/0 -j RETURN" in four
    assert not any("10." in line for line in six)
    assert "-A SE_FORWARD -s fd00:1::/64 -d fd00:2::/64 -j ACCEPT" in six
    assert six.count("-A SE_TO_0 -j DROP") == 1  # no rule of its family: nothing comes through
    for text in (four, six):
        chains = {line[1:].split()[0] for line in text if line.startswith(":")}
        assert {line.split()[1] for line in text if line.startswith("-A")} <= chains


def test_networks_of_one_router_are_no_strangers_to_each_other_and_a_floating_address_is_used_outward() -> None:
    post = [line for line in restore_text(TABLE, 4).splitlines() if line.startswith("-A SE_POST")]
    assert post[0] == "-A SE_POST -s 10.1.0.0/24 -d 10.2.0.0/24 -j ACCEPT"
    assert "-A SE_POST -s 10.1.0.5 ! -d 10.1.0.0/24 -j SNAT --to-source 100.96.0.9" in post
    assert floating_addresses(TABLE) == {"100.96.0.9"}


def test_nothing_to_forward_leaves_empty_chains() -> None:
    lines = restore_text({}, 4).splitlines()
    assert [line for line in lines if line.startswith("-A")] == [
        "-A SE_FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A SE_FORWARD -m physdev ! --physdev-is-bridged -j SE_GUARD",
    ]
