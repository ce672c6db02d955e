"""MACs and addresses of a server's interfaces, and where its own signals go: chosen when the plan is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine import sdk

ALIAS = "ua-nic"
"""What the aliases of interfaces begin with."""
SIGNALS = ("signal.stackengine.internal", 9117)
"""Where guests signal to, on every network of a stack."""


def places(want: sdk.Properties) -> Any:
    """The entries of ``networks`` with what says where an interface is: its groups come and go without it."""
    listed = want.get("networks") or []
    if not isinstance(listed, list):
        return listed
    return [{k: v for k, v in entry.items() if k != "security_groups"} if isinstance(entry, dict) else entry for entry in listed]


def nic_identities(ids: sdk.Identities, networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per interface: mac, address, prefix, gateway, dhcp, network (physical id), network_name, network_path, port (physical id or empty).

    On a network without an address range the address is empty.
    """
    return [_nic(ids, n, str(index)) for index, n in enumerate(networks)]


def with_interfaces(ids: sdk.Identities, identity: Mapping[str, Any], last: list[dict[str, Any]], want: list[dict[str, Any]]) -> dict[str, Any]:
    """``identity`` after interfaces came and went: those that stay keep MAC, addresses and place; one that comes back has what it had."""
    there = [(entry, {**nic, "alias": alias_of(nic, n)}) for n, (entry, nic) in enumerate(zip(last, identity["nics"], strict=True))]
    left = [*there, *((s["entry"], s["nic"]) for s in identity.get("spare") or ())]
    nics, count = [], len(left)
    for entry in want:
        at = next((n for n, (known, _) in enumerate(left) if known == entry), None)
        if at is not None:
            nics.append(left.pop(at)[1])
            continue
        nic = _nic(ids, entry, f"+{count}")
        nics.append({**nic, "alias": f"{ALIAS}-{nic['mac'].replace(':', '')}"})
        count += 1
    plain, records = addresses_by_network(ids, nics)
    spare = [{"entry": entry, "nic": nic} for entry, nic in left if not nic["port"]]
    return {**identity, "nics": nics, "networks": plain, "addresses": records, "spare": spare}


def signalling(ids: sdk.Identities, uuid: str, want: sdk.Properties) -> dict[str, str]:
    """The token and address of a server's own signals, where its gate waits for those and no handle's (CloudFormation: CreationPolicy)."""
    ready = sdk.known(want.get("ready"), {})
    if sdk.known(ready.get("gate"), "") != "signal" or ready.get("handle"):
        return {}
    token = ids.token(26, "signal")
    return {"token": token, "signal_url": f"http://{SIGNALS[0]}:{SIGNALS[1]}/v1/signal/{uuid}/{token}"}


def alias_of(nic: Mapping[str, Any], index: int) -> str:
    """By which libvirt knows an interface, as long as it is there."""
    return str(nic.get("alias") or f"{ALIAS}{index}")


def _nic(ids: sdk.Identities, entry: dict[str, Any], salt: str) -> dict[str, Any]:
    return _of_port(ids, entry["port"]) if entry.get("port") else _own(ids, entry, salt)


def _of_port(ids: sdk.Identities, port: Any) -> dict[str, Any]:
    found = ids.referred(port)
    if found is None:
        hint = "make it by SE::Port or its like in the template's language"
        raise sdk.RefusedError(f"the port{sdk.named(port)} is not part of this stack", hint=hint).about("networks")
    i = found.identity
    network = ids.referred(i["network"])
    names = ("mac", "address", "prefix", "gateway", "dhcp", "routes", "network", "network_name", "more", "port_group", "unfiltered")
    kept = {k: i[k] for k in names if i.get(k) is not None}
    return {**kept, "port": port, "network_path": network.path if network else i["network_name"]}


def _own(ids: sdk.Identities, nic: dict[str, Any], index: str) -> dict[str, Any]:
    subnet = ids.referred(nic.get("subnet"))
    network = ids.referred(subnet.identity["network"] if subnet else nic.get("network"))
    if network is None:
        named = sdk.named(nic.get("subnet") or nic.get("network"))
        text = f"the network{named} is not part of this stack: an interface names a network, a subnet or a port of it"
        raise sdk.RefusedError(text, hint=sdk.EXISTING).about("networks")
    mac = ids.claim("mac", [str(nic["mac"]).lower()]) if nic.get("mac") else ids.mac(f"nic{index}")
    where = {"network": network.physical_id, "network_name": network.identity["name"], "network_path": network.path, "port": "", "mac": mac}
    where |= {k: v for k, v in (("port_group", nic.get("port_group")), ("unfiltered", sdk.unfiltered(network))) if v}
    place = subnet or network
    if network.external:
        if nic.get("address"):
            raise sdk.RefusedError(f"{network.path} is not the stack's: its addresses are not given here", hint="leave the address out")
        return {**where, "address": "", "prefix": 0, "gateway": "", "dhcp": bool(network.properties.get("dhcp"))}
    if "cidr" not in place.identity:
        if nic.get("address"):
            raise sdk.RefusedError(f"the network {network.path} has no address range for {nic['address']}", hint="give it a subnet")
        asks = network.properties.get("mode") in ("flat", "vlan", "direct")  # whoever serves that gives the address
        return {**where, "address": "", "prefix": 0, "gateway": "", "dhcp": asks}
    seat = sdk.take_address(ids, place, f"address{index}", nic.get("address") or "")
    more = sdk.further_addresses(ids, place, f"address{index}", nic.get("also") or ())
    return {**where, **seat, **({"more": more} if more else {})}


def addresses_of(nic: Mapping[str, Any]) -> list[str]:
    """All addresses of an interface, the first one first; none on a network without a range."""
    return [a for a in (nic["address"], *(s["address"] for s in nic.get("more") or ())) if a]


def addresses_by_network(ids: sdk.Identities, nics: list[dict[str, Any]]) -> tuple[dict[str, list[str]], dict[str, list[dict[str, str]]]]:
    """(network -> addresses, network -> Nova's address records), by path, name and id, as Nova's ``networks`` and ``addresses`` are asked for."""
    plain: dict[str, list[str]] = {}
    records: dict[str, list[dict[str, str]]] = {}
    for nic in nics:
        network = ids.referred(nic["network"])
        named = str(network.properties.get("name") or "") if network else ""
        listed = addresses_of(nic) or [""]
        entries = [{"addr": a, "OS-EXT-IPS-MAC:mac_addr": nic["mac"], "version": "6" if ":" in a else "4"} for a in listed]
        for key in dict.fromkeys(k for k in (nic["network_path"], named, nic["network"]) if k):
            plain.setdefault(key, []).extend(listed)
            records.setdefault(key, []).extend(entries)
    return plain, records
